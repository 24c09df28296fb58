/**
 * Elements of long answers as bytes, kept as they follow each other. A list asks for the runs of bytes that its objects are: what was
 * listed before stands one after the other in a block, and goes out as it is. So a list costs what changed since the last one; the bytes
 * of all the rest are neither copied nor looked at.
 */

/** What an element of one form consists of: its lead, then its body. */
export interface ElementForm<T extends object> {
  /** Tells forms apart: in one form, an object has one body. */
  readonly name: string;
  /** What can change while the object does not, because it speaks of ages. Absent: there is no such thing. */
  readonly lead?: (object: T) => string;
  readonly body: (object: T) => Uint8Array;
}

/** Bytes of elements that follow each other. */
interface Block {
  /** Undefined once they were given up. */
  bytes: Uint8Array | undefined;
  /** Elements that were put here, and those of them that did not move on. */
  elements: number;
  left: number;
  /** What it takes of the budget. */
  readonly cost: number;
  /** The last pass that used it. */
  pass: number;
}

/** Where an element stands. */
interface Place {
  readonly block: Block;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
  readonly lead: string;
}

/** An element on its way into a block. */
interface Part<T> {
  readonly object: T;
  readonly lead: string;
  readonly body: Uint8Array;
  /** Where it stood before. */
  readonly from: Block | undefined;
}

/** Enough to be fast, small enough that replacing an element of it costs little. */
const blockBytes = 512 * 1024;
/** Runs below this are put together with their neighbours, so that an answer does not fall into crumbs. */
const shortestRun = 32 * 1024;
/** Roughly what an element takes besides its bytes. */
const elementOverhead = 128;

export class EncodedRuns {
  readonly #budget: number;
  readonly #places = new Map<string, WeakMap<object, Place>>();
  /** Least recently used first. */
  readonly #blocks = new Set<Block>();
  #kept = 0;
  #pass = 0;

  /** @param budget bytes that are kept at most, those of objects that are gone meanwhile included */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Bytes that are kept. */
  get kept(): number {
    return this.#kept;
  }

  /** Elements one after the other, in few large pieces which nobody may write to. Frozen objects are remembered. */
  *runs<T extends object>(objects: Iterable<T>, form: ElementForm<T>): Generator<Uint8Array> {
    const pass = ++this.#pass;
    const places = this.#placesOf(form.name);
    let draft = new Draft<T>();
    const finish = (): Uint8Array => {
      const { same } = draft;
      const bytes = same ? same.bytes : this.#build(draft, places, pass);
      if (same) this.#use(same.block, pass);
      draft = new Draft();
      return bytes;
    };
    for (const step of steps(objects, form, places)) {
      if (step instanceof Run && step.isLong) {
        if (draft.size > 0) yield finish();
        this.#use(step.block, pass);
        yield step.bytes.subarray(step.start, step.end);
      } else if (step instanceof Run) draft.addRun(step, places);
      else draft.add(step);
      if (draft.size >= blockBytes) yield finish();
    }
    if (draft.size > 0) yield finish();
  }

  #placesOf(form: string): WeakMap<object, Place> {
    let places = this.#places.get(form);
    if (!places) this.#places.set(form, (places = new WeakMap()));
    return places;
  }

  #use(block: Block, pass: number): void {
    block.pass = pass;
    // Given up since: then it is used for the last time.
    if (this.#blocks.delete(block)) this.#blocks.add(block);
  }

  /** Makes a block of a draft, and keeps it if there is room. */
  #build<T extends object>({ parts, size }: Draft<T>, places: WeakMap<object, Place>, pass: number): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(size);
    const block: Block = { bytes, elements: 0, left: 0, cost: size + parts.length * elementOverhead, pass };
    const keeps = this.#makeRoom(block);
    let at = 0;
    for (const { object, lead, body, from } of parts) {
      const start = at;
      if (lead !== "") at += bytes.write(lead, at);
      const bodyStart = at;
      bytes.set(body, at);
      at += body.byteLength;
      // Somebody might still change it.
      if (!keeps || !Object.isFrozen(object)) continue;
      places.set(object, { block, start, bodyStart, end: at, lead });
      block.elements++;
      // What stays behind when most move on are elements of objects that are gone, mostly.
      if (from && --from.left * 4 <= from.elements) this.#drop(from);
    }
    block.left = block.elements;
    if (block.elements > 0) {
      this.#blocks.add(block);
      this.#kept += block.cost;
    }
    return bytes;
  }

  /**
   * Gives up what was not used for longest. What this very answer has used stays: an answer that is larger than the budget would else
   * push out its own beginning each time, and find nothing.
   */
  #makeRoom({ cost, pass }: Block): boolean {
    if (cost > this.#budget) return false;
    for (const oldest of this.#blocks) {
      if (this.#kept + cost <= this.#budget) break;
      if (oldest.pass === pass) return false;
      this.#drop(oldest);
    }
    return true;
  }

  #drop(block: Block): void {
    if (!this.#blocks.delete(block)) return;
    this.#kept -= block.cost;
    block.bytes = undefined;
  }
}

/** Elements that follow each other in an answer as they do in their block. */
class Run<T extends object> {
  readonly block: Block;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly objects: T[];
  end: number;

  constructor(object: T, { block, start, end }: Place, bytes: Uint8Array) {
    this.block = block;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.objects = [object];
  }

  /** @returns whether the element is the next one here */
  takes(object: T, { block, start, end }: Place): boolean {
    if (block !== this.block || start !== this.end) return false;
    this.end = end;
    this.objects.push(object);
    return true;
  }

  get isWhole(): boolean {
    return this.end - this.start === this.bytes.byteLength;
  }

  /** Whether it goes out from where it is. Else its block would be kept for little of it. */
  get isLong(): boolean {
    const length = this.end - this.start;
    return length >= shortestRun && length * 2 >= this.bytes.byteLength;
  }
}

/** Parts that are about to become a block. */
class Draft<T extends object> {
  readonly parts: Part<T>[] = [];
  size = 0;
  /** The block that these parts are already. */
  same: { readonly block: Block; readonly bytes: Uint8Array } | undefined;

  add(part: Part<T>): void {
    this.parts.push(part);
    this.size += Buffer.byteLength(part.lead) + part.body.byteLength;
    this.same = undefined;
  }

  addRun(run: Run<T>, places: WeakMap<object, Place>): void {
    const { block, bytes } = run;
    const isFirst = this.size === 0;
    for (const object of run.objects) {
      const place = places.get(object);
      if (place) this.add({ object, lead: place.lead, body: bytes.subarray(place.bodyStart, place.end), from: block });
    }
    if (isFirst && run.isWhole) this.same = { block, bytes };
  }
}

/** What is known of the objects as runs, and what is not one by one. */
function* steps<T extends object>(
  objects: Iterable<T>,
  { lead: leadOf, body }: ElementForm<T>,
  places: WeakMap<object, Place>,
): Generator<Run<T> | Part<T>> {
  let run: Run<T> | undefined;
  for (const object of objects) {
    const lead = leadOf?.(object) ?? "";
    const place = places.get(object);
    const bytes = place?.block.bytes;
    if (bytes && place.lead === lead) {
      if (run?.takes(object, place)) continue;
      if (run) yield run;
      run = new Run(object, place, bytes);
      continue;
    }
    if (run) yield run;
    run = undefined;
    yield bytes
      ? { object, lead, body: bytes.subarray(place.bodyStart, place.end), from: place.block }
      : { object, lead, body: body(object), from: undefined };
  }
  if (run) yield run;
}
