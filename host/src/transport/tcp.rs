//! Writing many slices with few calls to TCP, the ordered and lossless stream that MQTT asks for [5:MQTT-4.2-1]
//! [311:MQTT-7.1.1-1].

use std::io::{self, IoSlice, Write};

/// Slices handed to the kernel in one call.
const SLICES_PER_CALL: usize = 64;

/// Writes slices in their order until all are written or the stream takes no more. Gives the bytes it took; fewer than
/// all means that it is blocked.
///
/// # Errors
/// Only those that end the stream.
pub(crate) fn write_all_slices<'a>(
    stream: &mut impl Write,
    mut slices: impl Iterator<Item = &'a [u8]>,
) -> io::Result<usize> {
    let mut total = 0;
    loop {
        let mut batch = [IoSlice::new(&[]); SLICES_PER_CALL];
        let (mut count, mut bytes) = (0, 0);
        for (place, slice) in batch.iter_mut().zip(&mut slices) {
            *place = IoSlice::new(slice);
            bytes += slice.len();
            count += 1;
        }
        if bytes == 0 {
            return Ok(total);
        }
        let written = write_batch(stream, &batch[..count])?;
        total += written;
        if written < bytes {
            return Ok(total);
        }
    }
}

/// Writes one slice, or as much of it as the stream takes.
///
/// # Errors
/// Only those that end the stream.
pub(crate) fn write_some(stream: &mut impl Write, bytes: &[u8]) -> io::Result<usize> {
    taken(|| stream.write(bytes))
}

fn write_batch(stream: &mut impl Write, batch: &[IoSlice<'_>]) -> io::Result<usize> {
    // `write` for one slice: `writev` looks at the list first, which small frames would feel.
    match batch {
        [one] => write_some(stream, one),
        many => taken(|| stream.write_vectored(many)),
    }
}

/// What a write took: a stream that takes nothing now is not an error.
fn taken(mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            other => return other,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A stream that takes a limited number of bytes.
    pub(crate) struct Narrow {
        pub room: usize,
        pub taken: Vec<u8>,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let len = bytes.len().min(self.room);
            if len == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room -= len;
            self.taken.extend_from_slice(&bytes[..len]);
            Ok(len)
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            self.write(&all)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_narrow_stream_takes_what_it_can_and_order_is_kept() {
        let bytes: Vec<u8> = (0..200).collect();
        let mut stream = Narrow { room: 150, taken: Vec::new() };
        assert_eq!(write_all_slices(&mut stream, bytes.chunks(1)).unwrap(), 150);
        stream.room = 100;
        assert_eq!(write_all_slices(&mut stream, bytes[150..].chunks(7)).unwrap(), 50);
        assert_eq!(stream.taken, bytes);
        stream.room = 0;
        assert_eq!(write_all_slices(&mut stream, bytes.chunks(7)).unwrap(), 0);
    }
}
