import { RequestError } from '../errors.ts';

/**
 * A form in parts, as `curl -F` sends it -> the same form URL-encoded, so that there is one way to read parameters. Node's own fetch
 * reads it (a package for that would stream files to disk, and nobody sends files here): the body has been read, and is bounded.
 */
export async function urlEncoded(body: Buffer, contentType: string): Promise<string> {
  try {
    const form = await new Response(Uint8Array.from(body), { headers: { 'content-type': contentType } }).formData();
    // A file is no parameter, as for Spring.
    const fields = new URLSearchParams();
    for (const [name, value] of form) if (typeof value === 'string') fields.append(name, value);
    return fields.toString();
  } catch {
    throw new RequestError('invalid', 'the body must be a form in parts, each ended by the boundary that Content-Type names');
  }
}
