// Where everything on the Map stands. The same scenario always gives the same picture, so that what a teacher shows is
// what the class sees: clients stand around the broker in the order of the scenario, on one ellipse as long as they have
// room there, else on several.

export interface Spot {
  readonly x: number;
  readonly y: number;
}

/** How a client is drawn: a card, a small card, or a dot with its name beside it when it is looked at. */
export type Scale = 'card' | 'small' | 'dot';

export interface Places {
  readonly width: number;
  readonly height: number;
  readonly scale: Scale;
  readonly clients: readonly Spot[];
  readonly broker: Spot;
}

const CARDS_MAX = 8;
const SMALL_MAX = 24;
/** Half of a client's width and height, in pixels. */
export const HALF: { readonly [scale in Scale]: { readonly x: number; readonly y: number } } = {
  card: { x: 70, y: 40 },
  small: { x: 42, y: 30 },
  dot: { x: 14, y: 14 },
};

export function placesOf(count: number, width: number, height: number): Places {
  if (count <= (width < 480 ? 4 : CARDS_MAX)) {
    const cards = placesAt('card', count, width, height);
    if (haveRoom(cards)) return cards;
  }
  return placesAt(count <= SMALL_MAX ? 'small' : 'dot', count, width, height);
}

/** Whether no client stands on another one or on the broker. */
function haveRoom({ clients, broker, scale, width }: Places): boolean {
  const half = HALF[scale];
  const middle = brokerHalfOf(width, 0, false);
  const apart = (a: Spot, b: Spot, x: number, y: number) => Math.abs(a.x - b.x) >= x || Math.abs(a.y - b.y) >= y;
  return clients.every(
    (one, index) =>
      apart(one, broker, half.x + middle.x, half.y + middle.y) &&
      clients.slice(index + 1).every((other) => apart(one, other, 2 * half.x, 2 * half.y)),
  );
}

function placesAt(scale: Scale, count: number, width: number, height: number): Places {
  const half = HALF[scale];
  const broker = { x: width / 2, y: height / 2 };
  const [rx, ry] = [Math.max(40, width / 2 - half.x - 14), Math.max(40, height / 2 - half.y - 26)];
  const rings = ringsOf(count, scale, rx, ry);
  const clients: Spot[] = [];
  let placed = 0;
  for (const [index, size] of rings.entries()) {
    const part = rings.length === 1 ? 1 : 1 - (index * 0.56) / rings.length;
    clients.push(...ring(size, broker, rx * part, ry * part, index));
    placed += size;
  }
  return { width, height, scale, clients: clients.slice(0, Math.max(count, placed)), broker };
}

/** How many stand on each ellipse, from outside. */
function ringsOf(count: number, scale: Scale, rx: number, ry: number): number[] {
  if (scale !== 'dot') return [count];
  // Ramanujan's first sum for the way around an ellipse.
  const around = (a: number, b: number) => Math.PI * (3 * (a + b) - Math.sqrt((3 * a + b) * (a + 3 * b)));
  for (let rings = 1; ; rings++) {
    const room = Array.from({ length: rings }, (_, index) => {
      const part = rings === 1 ? 1 : 1 - (index * 0.56) / rings;
      return Math.floor(around(rx * part, ry * part) / 30);
    });
    const all = room.reduce((sum, one) => sum + one, 0);
    if (all >= count || rings === 12) {
      let left = count;
      return room.map((one, index) => {
        const size = index === room.length - 1 ? left : Math.min(left, Math.round((count * one) / Math.max(all, 1)));
        left -= size;
        return size;
      });
    }
  }
}

/** Evenly by angle, the first at the left; in a tall room at the top. Nobody stands where the room is narrowest. */
function ring(count: number, middle: Spot, rx: number, ry: number, index: number): Spot[] {
  const tall = ry > rx * 1.15 && rx < 190;
  const even = count > 2 && count % (tall ? 4 : 2) === 0 ? Math.PI / count : 0;
  const begin = (tall ? -Math.PI / 2 : Math.PI) + even + (index % 2) * (Math.PI / Math.max(count, 1));
  return Array.from({ length: count }, (_, place) => {
    const angle = begin + (2 * Math.PI * place) / count;
    return { x: middle.x + rx * Math.cos(angle), y: middle.y + ry * Math.sin(angle) };
  });
}

/** Half of the broker's box, which holds so many topics. */
export function brokerHalfOf(width: number, topics: number, more: boolean): Spot {
  return {
    x: width < 480 ? 62 : Math.min(96, width / 5),
    y: (48 + (topics > 0 ? 4 + topics * 26 : 0) + (more ? 20 : 0)) / 2,
  };
}

/** The link's line from the edge of the client's card to the edge of the broker's. */
export function linkOf(client: Spot, broker: Spot, scale: Scale, brokerHalf: Spot): readonly [Spot, Spot] {
  return [edge(client, broker, HALF[scale]), edge(broker, client, brokerHalf)];
}

/** Where the way from one to another leaves a box around the first. */
export function edge(from: Spot, to: Spot, half: Spot): Spot {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const part = Math.min(1, dx === 0 ? 1 : half.x / Math.abs(dx), dy === 0 ? 1 : half.y / Math.abs(dy));
  return { x: from.x + dx * part, y: from.y + dy * part };
}

/** A point along a link, a little to the right of whoever goes that way, so that both directions have a lane. */
export function onLane(from: Spot, to: Spot, part: number, aside: number): Spot {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  return { x: from.x + dx * part - (dy / length) * aside, y: from.y + dy * part + (dx / length) * aside };
}

/** The neighbour in the direction of an arrow key: near, and rather straight ahead than aside. */
export function neighbour(code: string, from: Spot, all: readonly Spot[]): number | undefined {
  const ahead: Record<string, readonly [number, number]> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
  const way = ahead[code];
  if (!way) return undefined;
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, spot] of all.entries()) {
    const [dx, dy] = [spot.x - from.x, spot.y - from.y];
    const forward = dx * way[0] + dy * way[1];
    const aside = Math.abs(dx * way[1] + dy * way[0]);
    if (forward <= 1) continue;
    const cost = forward + aside * 2;
    if (cost < least) [best, least] = [index, cost];
  }
  return best;
}

/** The arrow key that points from one to another. */
function heading(from: Spot, to: Spot): string {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (Math.abs(dx) >= Math.abs(dy)) return dx > 0 ? 'ArrowRight' : 'ArrowLeft';
  return dy > 0 ? 'ArrowDown' : 'ArrowUp';
}

/**
 * Where a key leads from a member of the Map: 0 is the broker, then come all links, then all clients. Arrow keys follow
 * a link between its client and the broker, and go from client to client, and from link to link, on either side of it;
 * page keys go through all of them in order.
 */
export function memberAfter(code: string, at: number, places: Places, links: readonly Spot[]): number | undefined {
  const { broker, clients } = places;
  const count = links.length;
  const last = 2 * count;
  const jump: Record<string, number> = {
    Home: 0,
    End: last,
    PageUp: Math.max(0, at - 1),
    PageDown: Math.min(last, at + 1),
  };
  if (code in jump) return jump[code];
  const plus = (index: number | undefined, first: number) => (index === undefined ? undefined : index + first);
  if (at === 0) return plus(neighbour(code, broker, links), 1);
  const isLink = at <= count;
  const index = isLink ? at - 1 : at - 1 - count;
  const [link, client] = [links[index], clients[index]];
  if (!link || !client) return undefined;
  if (code === heading(client, broker)) return isLink ? 0 : index + 1;
  if (!isLink) return plus(neighbour(code, client, clients), count + 1);
  return code === heading(broker, client) ? index + 1 + count : plus(neighbour(code, link, links), 1);
}
