// A text with what stands on the wire in backticks.

export function Rich({ text }: { readonly text: string }) {
  return (
    <>
      {text.split('`').map((part, index) =>
        // Parts between backticks are those with odd numbers; a text never changes its parts' order.
        index % 2 === 1 ? <code key={index}>{part}</code> : part,
      )}
    </>
  );
}

/** The same without the marks, for labels that take only text. */
export function plain(text: string): string {
  return text.replaceAll('`', '');
}
