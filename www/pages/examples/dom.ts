/** The few things that all examples do with the document. */

/** An element of the document that the page's HTML promises. @throws Error if it does not keep that. */
export function find<E extends HTMLElement>(root: ParentNode, selector: string): E {
  const found = root.querySelector<E>(selector);
  if (found === null) throw new Error(`there is no ${selector}`);
  return found;
}

/** Makes an element; text goes in as text. */
export function make<N extends keyof HTMLElementTagNameMap>(
  name: N,
  attributes: { [attribute: string]: string } = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[N] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/** Appends to a list that forgets its oldest lines, and stays at its end if it is there. */
export function appendLine(list: HTMLElement, line: HTMLElement, linesMax = 200): void {
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
  list.append(line);
  while (list.childElementCount > linesMax) list.firstElementChild?.remove();
  // What scrolls must do so without a mouse, too.
  if (list.scrollHeight > list.clientHeight) list.tabIndex = 0;
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

/** Shows a payload as people want to see it. */
export function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}

/** Does what a button is for, one at a time, and shows what goes wrong beside it. */
export function onAct(element: HTMLElement, event: 'click' | 'submit' | 'input', act: () => unknown): void {
  element.addEventListener(event, async (happened) => {
    if (event === 'submit') happened.preventDefault();
    const card = element.closest('.card') ?? element;
    card.querySelector(':scope > .wrong')?.remove();
    try {
      await act();
    } catch (error) {
      card.append(make('p', { class: 'wrong', role: 'alert' }, String(error)));
    }
  });
}
