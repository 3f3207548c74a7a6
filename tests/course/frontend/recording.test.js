// A recorded figure is at every setting the one that was drawn.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decode } from "../../../crn_lib/course/frontend/recording.js";

test("every setting gives the figure that Python drew for it, or the words of its error", async () => {
  const { packed, figures } = JSON.parse(readFileSync(join(process.env.NUMBERS ?? "", "recorded.json"), "utf8"));
  const figureAt = await decode(packed);
  assert.equal(figures.length, 12);
  for (const [setting, wanted] of figures.entries()) assert.deepEqual(figureAt(setting), wanted, `setting ${setting}`);
});
