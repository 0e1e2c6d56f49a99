/* What a word is: how a text is cut into words, and which forms of a word count as one.

   A word counts by what it begins with (clip, clips, clipping), British or American, without marks
   above letters; a Greek letter counts by its name. Words that hyphens or underscores join are
   found one by one, as a phrase, and as one word. Chinese is cut into characters. */
const { WORD, HAN, JOINS, STOP, fold, stem, words, joined, keyOf, slips } = (function () {
  "use strict";

  const WORD =
    /\p{Script=Han}|[\u0370-\u03ff]\p{M}*|[∇∑∏∂∞]|\d+(?:[.,]\d+)+|(?:\d{1,2}[a-d]|[A-Za-z])\.\d+|[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’]s(?!\p{L}))?/gu;
  const HYPHENS = "-‐";
  const HAN = /^\p{Script=Han}/u;
  const JOINS = { "-": "", "‐": "", "_": "", "ˍ": "", "^": "^", "/": "/" };
  const GREEK = {
    α: "alpha", β: "beta", γ: "gamma", δ: "delta", ε: "epsilon", ζ: "zeta", η: "eta", θ: "theta",
    κ: "kappa", λ: "lambda", μ: "mu", ν: "nu", ξ: "xi", π: "pi", ρ: "rho", σ: "sigma", τ: "tau",
    φ: "phi", χ: "chi", ψ: "psi", ω: "omega", "∇": "nabla", "∑": "sum", "∏": "prod",
    "∂": "partial", "∞": "infinity",
  };
  const ALIKE = { zero: "0", varepsilon: "epsilon", infty: "infinity", learnt: "learned", maths: "math" };
  const STOP = new Set(
    ("a an and are as at be been but by can do does for from get gets go goes had has have how i if in into is it its " +
      "me my not of on one or s so than that the their then there they this to was we were what when where which " +
      "who why will with would you your always happen happens still means").split(" ")
  );

  function fold(word) {
    if (/^[a-z0-9]+$/.test(word)) return word;
    const bare = word.toLowerCase().replace(/['’]s$/, "").normalize("NFD").replace(/\p{M}/gu, "");
    return GREEK[bare.replace("ϵ", "ε").replace("ϕ", "φ")] || bare;
  }

  /** The part of a word that its forms share; crude, and the same for text and query. */
  function stem(word) {
    let w = ALIKE[word] || word;
    if (w.length < 4 || !/^[a-z]+$/.test(w)) return w === "kls" || w === "mdps" ? w.slice(0, -1) : w;
    if (w.endsWith("s")) {
      w = w.replace(/ies$/, "y").replace(/(ss|x|ch|sh|o)es$/, "$1").replace(/([^suia])s$/, "$1");
    }
    w = w.replace(/is(e|ed|er|ing|ation|able)$/, "iz$1").replace(/yse/, "yze");
    if (w.length > 5) w = w.replace(/our/, "or").replace(/tre$/, "ter");
    w = w.replace(/izations?$/, "iz").replace(/(.{3})(?:ators?|ations?|ating|ated?)$/, "$1at");
    if (/(?:ing|ed|ly)$/.test(w)) {
      w = w.replace(/(..[aeiouy].*|[aeiouy]..+)(?:ing|ed)$/, "$1").replace(/(.{4})ly$/, "$1");
    }
    return w.replace(/([bdfgmnprt])\1$/, "$1").replace(/(l)\1(?=(?:er)?$)/, "$1").replace(/(..)e$/, "$1");
  }

  /** The words of a text, each with its place, and whether it is joined to the one before. */
  function words(text) {
    const found = [];
    let last = -2; // where the word before ends
    for (const match of text.matchAll(WORD)) {
      const start = match.index, sign = start === last + 1 ? text[last] : "", join = JOINS[sign];
      last = start + match[0].length;
      found.push({ word: match[0], start, end: last, join, sign });
    }
    return found;
  }

  /** Runs of joined words, as one word each: gamma^t, rewardtogo. */
  function joined(found) {
    const runs = [];
    for (let i = 1; i < found.length; i++) {
      if (found[i].join === undefined) continue;
      let first = i - 1, whole = fold(found[first].word);
      while (i < found.length && found[i].join !== undefined) {
        whole += found[i].join + fold(found[i].word);
        i++;
      }
      runs.push({ whole, first, last: i - 1 });
    }
    return runs;
  }

  /** A name as a whole: hyphens do not count, what is tied more closely is one word. */
  function keyOf(found) {
    const closely = joined(found).filter((run) => found.slice(run.first + 1, run.last + 1).some((one) => !HYPHENS.includes(one.sign)));
    const inside = (i) => closely.find((run) => run.first <= i && i <= run.last);
    const parts = found.map((one, i) => {
      const run = inside(i);
      return run ? (run.first === i ? run.whole : "") : stem(fold(one.word));
    });
    return parts.filter(Boolean).join(" ");
  }

  /** How many letters were left out, put in, changed or swapped; more than `most` is not counted. */
  function slips(a, b, most) {
    let before = [], row = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] !== b[j - 1]));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1);
      }
      if (Math.min(...next) > most) return most + 1;
      [before, row] = [row, next];
    }
    return row[b.length];
  }

  return { WORD, HAN, JOINS, STOP, fold, stem, words, joined, keyOf, slips };
})();
