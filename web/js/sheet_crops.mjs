// Where Crop to Subject would cut: asked of the server for photos that are being looked at, once each.

const AT_ONCE = 2;

// ask(token) -> Promise of a box or null; onArrive(token) is called when one is there.
export function createSuggestions(ask, onArrive) {
  const known = new Map(); // token -> box or null
  const asked = new Set();
  let waiting = [];
  let running = 0;

  async function answer(token) {
    running += 1;
    try {
      known.set(token, await ask(token));
      onArrive(token);
    } catch {
      asked.delete(token); // the server is away: the next look asks again
    } finally {
      running -= 1;
      next();
    }
  }

  function next() {
    while (running < AT_ONCE && waiting.length) {
      const token = waiting.shift();
      if (asked.has(token)) continue;
      asked.add(token);
      answer(token);
    }
  }

  return {
    of: (token) => known.get(token) ?? null,
    // The photos in view: what was scrolled past and is still waiting is dropped.
    want(tokens) {
      waiting = tokens.filter((token) => token && !asked.has(token));
      next();
    },
  };
}
