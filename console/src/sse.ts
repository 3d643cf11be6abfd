/** One message of a stream of server-sent events. */
export interface Message {
  readonly event: string;
  readonly data: string;
  readonly id?: string;
}

/** Reads server-sent events as they come in: in whatever pieces, with whatever ends of lines. */
export class SseReader {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined;

  /** What has become complete with this piece. */
  push(piece: string): Message[] {
    const messages: Message[] = [];
    const text = this.#rest + piece;
    // A CR at the end may be half of a CRLF.
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? '') + text.slice(whole.length);
    for (const line of lines) {
      if (line !== '') this.#take(line);
      else {
        if (this.#data.length > 0) messages.push(this.#message());
        this.#event = '';
        this.#data = [];
      }
    }
    return messages;
  }

  #message(): Message {
    const message = { event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n') };
    return this.#id === undefined ? message : { ...message, id: this.#id };
  }

  #take(line: string): void {
    const [field = '', value = ''] = line.split(/: ?(.*)/s);
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value;
  }
}
