// Shapes as text. They are functions without state that give elements, so that calling them is all there is to it.

import type { ComponentChild, VNode } from 'preact';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as it may stand in XML: what XML can't hold at all is shown as a box. */
export function escaped(text: string): string {
  return (
    text
      .replace(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what XML forbids.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  );
}

/** An element and all within it, as SVG text. */
export function svgText(child: ComponentChild): string {
  if (child === null || child === undefined || typeof child === 'boolean') return '';
  if (typeof child !== 'object') return escaped(String(child));
  if (Array.isArray(child)) return child.map(svgText).join('');
  const { type, props } = child as VNode<Record<string, unknown>>;
  if (typeof type === 'function') {
    return svgText((type as (props: unknown) => ComponentChild)(props));
  }
  const attributes = Object.entries(props)
    .filter(([name, value]) => name !== 'children' && name !== 'key' && value !== undefined && value !== null)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
  // Style sheets are our own text and hold signs such as >.
  const inner = type === 'style' ? String(props.children) : svgText(props.children as ComponentChild);
  return inner === '' ? `<${type}${attributes}/>` : `<${type}${attributes}>${inner}</${type}>`;
}
