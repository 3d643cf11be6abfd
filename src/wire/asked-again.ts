/** Who is told something for as long as he listens is asked again so often who he is: so late a login that is over is noticed. */
export const ASKED_AGAIN_MS = 60_000;
