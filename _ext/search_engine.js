/* What finds: words are read off the records once, and every query is answered from that.

   Records are ranked by how rare the words are that they have, and where (BM25, with titles and
   names above the text), more where the words stand together; what is called as the query says
   stands first. A word that may still be being typed counts for all that begin with it, and one
   that is nowhere for those that are a slip or two away. Words come from search_words.js. */
(function () {
  "use strict";

  const ORDER = ["term", "equation", "page", "symptom", "source", "section", "function", "reference", "figure",
    "exercise", "letter", "claim", "check"];
  const UNNAMED = new Set(["check", "claim", "letter"]); // whose names are others'
  const PRIOR = { page: 1.15, term: 1.25, symptom: 1.2, section: 1, function: 0.9, equation: 0.75, exercise: 0.7,
    figure: 0.75, source: 0.75, reference: 0.85, letter: 0.65, claim: 0.5, check: 0.45 };
  const WEIGHT = { title: 5, names: 4, text: 1, code: 0.6 };
  const EQUATION =
    /^\s*(?:(?=\()|(?:eq|eqn|equation|formula)s?\b\.?)\s*\(?\s*((?:\d+[a-d]?|[a-z])\.\d+)\s*\)?\s*$/i;
  const LOOKED_AT = 120; // of how many it is asked whether the words stand together
  const K1 = 1.2, B = 0.6;

  const known = new Map(); // word as written -> number of its stem
  const stems = new Map(); // stem -> its number
  const postings = []; // number of a stem -> [record, weight, record, weight, ...]
  const weights = []; // number of a stem -> its weight in the record that is being read
  const exact = new Map(); // a whole name, its words in a row -> records
  let records = [], spelled = [], meanLength = 1;

  // --- words ---------------------------------------------------------------------------------------

  function numberOf(word) {
    let number = known.get(word);
    if (number === undefined) {
      const folded = fold(word), form = stem(folded);
      number = stems.get(form);
      if (number === undefined) {
        number = postings.push([]) - 1;
        stems.set(form, number);
      }
      known.set(word, number);
      spelled.push([folded, number]);
    }
    return number;
  }

  // --- reading the records -------------------------------------------------------------------------

  function load(pages) {
    for (const { page, number, records: rows } of pages) {
      const title = rows[0][2];
      for (const [kind, anchor, name, text = "", names = "", code = ""] of rows) {
        records.push({ page, number, pageTitle: title, kind, anchor, title: name, text,
          names: names ? names.split("|") : [], code, id: records.length });
      }
    }
    let total = 0;
    for (const record of records) total += read(record);
    meanLength = total / records.length;
    spelled = [...new Map(spelled)].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  function read(record) {
    const seen = [];
    const note = (number, weight) => {
      if (!weights[number]) seen.push(number), (weights[number] = 0);
      weights[number] += weight;
    };
    const field = (text, weight) => {
      const sequence = [];
      let match, ties = false, last = -2;
      WORD.lastIndex = 0;
      while ((match = WORD.exec(text))) {
        const sign = match.index === last + 1 ? text[last] : "", number = numberOf(match[0]);
        note(number, weight);
        if (sign !== "" && JOINS[sign] !== undefined) ties = true;
        if (sign !== "ˍ" || match[0] !== "θ") sequence.push(number); // ∇ˍθ is read ∇
        last = WORD.lastIndex;
      }
      if (ties) for (const run of joined(words(text))) note(numberOf(run.whole), weight);
      return sequence;
    };
    record.sequence = field(record.text, WEIGHT.text);
    record.titleSequence = field(record.title, WEIGHT.title);
    record.nameSequences = record.names.map((name) => field(name, WEIGHT.names));
    if (record.code) field(record.code, WEIGHT.code);
    for (const number of seen) {
      postings[number].push(record.id, weights[number]);
      weights[number] = 0;
    }
    if (!UNNAMED.has(record.kind)) {
      for (const name of [record.title, ...record.names]) {
        const key = keyOf(words(name));
        if (!exact.has(key)) exact.set(key, []);
        if (!exact.get(key).includes(record)) exact.get(key).push(record);
      }
    }
    record.length = record.sequence.length + 8;
    return record.length;
  }

  // --- a query -------------------------------------------------------------------------------------

  const lookup = (word) => {
    const number = stems.get(stem(fold(word)));
    return number === undefined || !postings[number].length ? undefined : number;
  };

  /** What is typed as in TeX, in the characters of the texts. */
  const plainly = (query) => query.replace(/[²³¹ᵃ-ᵛ⁰-ⁿ]/g, (sign) => "^" + sign.normalize("NFKD")).replace(/\\([a-zA-Z]+)/g, " $1 ").replace(/ *([\^_]) *\{?/g, "$1");

  /** A query as units: a word, a run of joined words, or characters that stand together. */
  function units(query) {
    const found = words(plainly(query));
    const list = [];
    for (let i = 0; i < found.length; i++) {
      let last = i;
      while (
        last + 1 < found.length &&
        (found[last + 1].join !== undefined ||
          (HAN.test(found[last].word) && HAN.test(found[last + 1].word) && found[last].end === found[last + 1].start))
      ) last++;
      list.push(unit(found.slice(i, last + 1), last === found.length - 1 && /[\p{L}\p{N}]$/u.test(query)));
      i = last;
    }
    return list;
  }

  function unit(parts, open) {
    const said = parts.map((part) => part.word);
    const one = { said, forms: new Map(), phrase: null, stop: false, changed: "" };
    if (parts.length > 1) {
      const [run] = joined(parts);
      const whole = run && stems.get(stem(run.whole));
      if (whole !== undefined && postings[whole].length) one.forms.set(whole, 1.3);
      const numbers = said.map(lookup);
      const tied = parts.some((part) => part.join === "^" || part.join === "/");
      if (!numbers.includes(undefined) && !(tied && one.forms.size)) one.phrase = numbers;
      return one;
    }
    const folded = fold(said[0]), number = lookup(said[0]);
    one.stop = STOP.has(folded);
    if (number !== undefined) one.forms.set(number, 1);
    if (open && !HAN.test(folded) && folded.length > 1 && /^\p{L}/u.test(folded)) begun(folded, one);
    if (!one.forms.size && folded.length > 4) nearly(folded, one);
    return one;
  }

  /** Words that begin like this one, which may still be being typed. */
  function begun(folded, one) {
    const weight = one.forms.size ? 0.25 : 0.8;
    let low = 0, high = spelled.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spelled[middle][0] < folded) low = middle + 1;
      else high = middle;
    }
    for (; low < spelled.length && spelled[low][0].startsWith(folded); low++) {
      const number = spelled[low][1];
      if (!one.forms.has(number) && postings[number].length) one.forms.set(number, weight);
    }
  }

  /** Words that a slip or two away: what was meant by a word that is nowhere. */
  function nearly(folded, one) {
    let best = folded.length > 7 ? 2 : 1;
    for (const [word, number] of spelled) {
      if (word[0] !== folded[0] || Math.abs(word.length - folded.length) > best || !postings[number].length) continue;
      const far = slips(word, folded, best);
      if (far < best) one.forms.clear();
      if (far <= best) {
        best = far;
        one.forms.set(number, 0.7);
        one.changed = word;
      }
    }
  }

  // --- ranking -------------------------------------------------------------------------------------

  function places(sequence, phrase) {
    let count = 0;
    for (let i = sequence.indexOf(phrase[0]); i >= 0; i = sequence.indexOf(phrase[0], i + 1)) {
      if (phrase.every((number, k) => sequence[i + k] === number)) count++;
    }
    return count;
  }

  /** The records that have a unit, each with its weight there. */
  function having(one) {
    const found = new Map();
    for (const [number, factor] of one.forms) {
      const list = postings[number];
      for (let i = 0; i < list.length; i += 2) {
        found.set(list[i], Math.max(found.get(list[i]) || 0, list[i + 1] * factor));
      }
    }
    if (one.phrase) {
      const lists = one.phrase.map((number) => postings[number]);
      const shortest = lists.reduce((a, b) => (b.length < a.length ? b : a));
      for (let i = 0; i < shortest.length; i += 2) {
        const record = records[shortest[i]];
        const weight = places(record.sequence, one.phrase) + WEIGHT.title * places(record.titleSequence, one.phrase) +
          record.nameSequences.reduce((sum, name) => sum + WEIGHT.names * places(name, one.phrase), 0);
        if (weight) found.set(record.id, Math.max(found.get(record.id) || 0, weight));
      }
    }
    return found;
  }

  /** What nowhere stands as a whole: word by word, Chinese by pairs of characters. */
  function apart(one) {
    const { said } = one, han = HAN.test(said[0]);
    if (said.length < (han ? 3 : 2) || having(one).size) return [one];
    const parts = han ? said.slice(1).map((word, i) => said[i] + word) : said;
    return parts.map((part) => units(part)[0]);
  }

  function find(query) {
    let list = units(query);
    const equation = EQUATION.exec(query);
    if (equation) list = units(equation[1]);
    list = list.flatMap(apart);
    if (list.every((one) => one.stop)) list.forEach((one) => (one.stop = false));
    const sequence = list.flatMap((one) => one.said.map((word) => lookup(word) ?? -1));
    const asked = { list, sequence, found: words(equation ? equation[1] : plainly(query)) };
    const scores = scored(asked);
    promote(asked, scores, equation);
    const hits = [...scores.values()].filter((hit) => !equation || (hit.first && hit.record.kind === "equation"));
    hits.sort((a, b) => b.first - a.first || b.score - a.score || a.record.id - b.record.id);
    const changed = list.filter((one) => one.changed).map((one) => [one.said[0], one.changed]);
    const nowhere = list.filter((one) => !one.stop && !one.found).map((one) => one.said.join(" "));
    return { asked, hits: kept(hits), changed, nowhere };
  }

  function scored({ list, sequence }) {
    const scores = new Map();
    let all = 0;
    for (const one of list) {
      const found = having(one);
      one.found = found.size;
      one.rarity = Math.log(1 + (records.length - found.size + 0.5) / (found.size + 0.5)) * (one.stop ? 0.15 : 1);
      if (!one.stop) all += one.rarity;
      for (const [id, weight] of found) {
        if (!scores.has(id)) scores.set(id, { record: records[id], score: 0, covered: 0, first: 0 });
        const hit = scores.get(id), long = 1 - B + (B * hit.record.length) / meanLength;
        hit.score += (one.rarity * weight * (K1 + 1)) / (weight + K1 * long);
        if (!one.stop) hit.covered += one.rarity;
      }
    }
    for (const hit of scores.values()) {
      hit.share = all ? hit.covered / all : 1;
      hit.score *= hit.share ** 3 * PRIOR[hit.record.kind];
      if (hit.record.page === "ledger") hit.score *= 0.5; // its headings are those of the chapters
    }
    const first = [...scores.values()].sort((a, b) => b.score - a.score).slice(0, LOOKED_AT);
    for (const hit of first) hit.score *= together(hit.record, list, sequence);
    return scores;
  }

  /** More for words that stand together, most for those that make up the title. */
  function together(record, list, sequence) {
    let factor = 1;
    if (sequence.length > 1) {
      if (places(record.titleSequence, sequence)) factor *= 2.2;
      else if (places(record.sequence, sequence)) factor *= 1.7;
    }
    const content = list.filter((one) => !one.stop);
    const inTitle = content.filter((one) => has(record.titleSequence, one)).length;
    if (content.length && inTitle === content.length) {
      factor *= 1.4 + inTitle / Math.max(record.titleSequence.length, inTitle);
    } else if (content.length > 1 && record.nameSequences.some((name) => content.every((one) => has(name, one)))) factor *= 1.6;
    else if (content.length > 1) factor *= 1 + 0.6 * closeness(record.sequence, content);
    return factor;
  }

  const has = (sequence, one) =>
    one.phrase ? places(sequence, one.phrase) > 0 : sequence.some((number) => (one.forms.get(number) || 0) >= 0.7);

  /** 1 where all the words follow each other, less the further they are apart. */
  function closeness(sequence, content) {
    const last = content.map(() => -1);
    let best = Infinity;
    sequence.forEach((number, at) => {
      content.forEach((one, k) => {
        if (one.forms.has(number) || (one.phrase && one.phrase[0] === number)) last[k] = at;
      });
      const from = Math.min(...last);
      if (from >= 0) best = Math.min(best, at - from + 1);
    });
    return Math.min(1, content.length / best);
  }

  /** What has the query for its name, as a whole, stands first. */
  function promote({ list, found }, scores, equation) {
    const keys = [keyOf(found)], content = found.filter((one) => !STOP.has(fold(one.word)));
    if (!equation && content.length > 1) keys.push(keyOf(content));
    keys.forEach((key, later) => {
      for (const record of exact.get(key) || []) {
        if (!scores.has(record.id)) scores.set(record.id, { record, score: 1, share: 1, first: 0 });
        const hit = scores.get(record.id);
        hit.first = Math.max(hit.first, 100 - 50 * later - ORDER.indexOf(record.kind));
      }
    });
  }

  /** Without what has only a few of the words, or is far behind. */
  function kept(hits) {
    if (!hits.length) return hits;
    const most = Math.max(...hits.map((hit) => hit.share)), best = Math.max(...hits.map((hit) => hit.score));
    return hits.filter((hit) => hit.first || (hit.share > Math.min(0.5, most * 0.7) && hit.score > best * 0.12));
  }

  // --- what is shown -------------------------------------------------------------------------------

  /** Where the words of a query stand in a text: pairs of begin and end. */
  function marks(text, { list }) {
    const found = words(text), ranges = [];
    const numbers = found.map((one) => known.get(one.word) ?? stems.get(stem(fold(one.word))) ?? -1);
    const content = list.some((one) => !one.stop) ? list.filter((one) => !one.stop) : list;
    for (const one of content) {
      found.forEach((word, i) => {
        if (one.forms.has(numbers[i])) ranges.push([word.start, word.end, one]);
        if (one.phrase && one.phrase.every((number, k) => numbers[i + k] === number)) {
          ranges.push([word.start, found[i + one.phrase.length - 1].end, one]);
        }
      });
      for (const run of joined(found)) {
        if (one.forms.has(stems.get(stem(run.whole)))) ranges.push([found[run.first].start, found[run.last].end, one]);
      }
    }
    ranges.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    return ranges.filter((range, i) => !i || range[0] >= Math.max(...ranges.slice(0, i).map((one) => one[1])));
  }

  /** The part of a text that has the most of the query, and where the words are in it. */
  function excerpt(text, asked, length = 170) {
    const ranges = marks(text, asked);
    let best = 0, from = 0;
    ranges.forEach(([start], i) => {
      const seen = new Set();
      let value = 0;
      for (let k = i; k < ranges.length && ranges[k][1] - start <= length; k++) {
        value += seen.has(ranges[k][2]) ? 0.05 : ranges[k][2].rarity || 0;
        seen.add(ranges[k][2]);
      }
      if (value > best + 1e-9) [best, from] = [value, start];
    });
    let start = Math.max(0, from - 50), end = Math.min(text.length, start + length + 60);
    if (start > 0) start = text.indexOf(" ", start) + 1 || start;
    if (end < text.length) end = Math.max(text.lastIndexOf(" ", end), start + 1);
    const inside = ranges.filter((range) => range[0] >= start && range[1] <= end);
    return { text: text.slice(start, end), before: start > 0, after: end < text.length,
      marks: inside.map(([a, b]) => [a - start, b - start]) };
  }

  window.policygradSearch = { load, find, marks, excerpt, words, stem, fold };
})();
