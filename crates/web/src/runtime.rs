//! An allocator and an answer to panics, so that the page's download is without the standard library. The library's
//! answer is to format a message, which no page would ever see; all messages, and the code that formats them, would be
//! in the download.

use core::panic::PanicInfo;

use dlmalloc::GlobalDlmalloc;

/// The same allocator as the standard library's on this target.
#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;

/// A panic is a bug of ours: the page gets an exception that names the file, and must not use the core any more.
#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    wasm_bindgen::throw_str(info.location().map_or("a panic of the core", |location| location.file()))
}
