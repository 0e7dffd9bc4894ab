// Runs the dispatches that the tests kept (tests/common/cases.rs) on a WebGPU device, in Node or on a page.

// Words behind each operand that nothing may change.
const MARGIN = 64;
const POISON = 0x7e123456;

/** Whether `got` is close enough to what is expected, as narrows::reference::compare::Tolerance has it. */
function accepts(got, expected, { absolute, relative }) {
  const close = Math.abs(got - expected) <= absolute + relative * Math.abs(expected);
  return got === expected || (close && Number.isFinite(got) && Number.isFinite(expected));
}

/** What is wrong with an operand's words after a dispatch, or null. Without a tolerance they are words, and equal. */
function difference(operand, got) {
  const count = operand.before.length;
  const behind = got.subarray(count).findIndex((word) => word !== POISON);
  if (behind >= 0) return `${operand.name}: the word ${behind} behind it changed`;
  const expected = Uint32Array.from(operand.after ?? operand.before);
  const of = operand.absolute === undefined ? null : operand;
  const numbers = (words) => (of ? new Float32Array(words.buffer, words.byteOffset, count) : words);
  for (let at = 0; at < count; at++) {
    const [g, e] = [numbers(got)[at], numbers(expected)[at]];
    if (got[at] !== expected[at] && !(of && accepts(g, e, of))) return `${operand.name}[${at}] is ${g}, not ${e}`;
  }
  return null;
}

/** What compiles an entry says, or null if it takes it. */
async function refusal(module) {
  const { messages } = await module.getCompilationInfo();
  const error = messages.find((message) => message.type === "error");
  return error ? `line ${error.lineNum}: ${error.message}` : null;
}

/** Runs one case. Resolves to null, or to what is wrong. */
export async function run(device, module, entry, of) {
  device.pushErrorScope("validation");
  const compute = { module, entryPoint: entry.name, constants: of.constants };
  const pipeline = device.createComputePipeline({ layout: "auto", compute });
  const said = await device.popErrorScope();
  if (said) return said.message;

  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const filled = (words, usage) => {
    const buffer = device.createBuffer({ size: 4 * words.length, usage: usage | COPY_DST });
    device.queue.writeBuffer(buffer, 0, words);
    return buffer;
  };
  const params = new Uint32Array(4 * Math.ceil(of.params.length / 4));
  params.set(of.params);
  const operands = of.operands.map((operand) => {
    const words = new Uint32Array(operand.before.length + MARGIN).fill(POISON);
    words.set(operand.before);
    return filled(words, STORAGE | COPY_SRC);
  });
  const uniform = filled(params, UNIFORM);
  const bound = [[0, uniform], ...of.operands.map((operand, at) => [operand.slot, operands[at]])];
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: bound.map(([binding, buffer]) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...of.workgroups);
  pass.end();
  const results = operands.map((buffer) => {
    const copy = device.createBuffer({ size: buffer.size, usage: MAP_READ | COPY_DST });
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
    return copy;
  });
  device.queue.submit([encoder.finish()]);
  let wrong = null;
  for (const [at, copy] of results.entries()) {
    await copy.mapAsync(GPUMapMode.READ);
    wrong ??= difference(of.operands[at], new Uint32Array(copy.getMappedRange()));
  }
  for (const buffer of [uniform, ...operands, ...results]) buffer.destroy();
  return wrong;
}

/**
 * Runs the cases of all shaders. `shaders` is what narrows_shaders lists, `casesOf` resolves to the cases of an entry.
 * Resolves to one record for each entry: {shader, entry, state, cases, remark}.
 */
export async function runAll(adapter, shaders, casesOf, say) {
  const has = adapter.features.has("subgroups");
  const { subgroupMinSize: least, subgroupMaxSize: most } = adapter.info;
  const device = await adapter.requestDevice({ requiredFeatures: has ? ["subgroups"] : [] });
  const records = [];
  for (const shader of shaders) {
    say(shader.name);
    if (shader.subgroups && !has) {
      records.push(...shader.entries.map((entry) => record(shader, entry, "left out", 0, "no subgroups")));
      continue;
    }
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code: shader.source });
    const refused = (await refusal(module)) ?? (await device.popErrorScope())?.message;
    for (const entry of shader.entries) {
      if (refused) {
        records.push(record(shader, entry, "refused", 0, refused));
        continue;
      }
      records.push(await runEntry(device, shader, module, entry, await casesOf(shader, entry), least === 8 && most === 8));
    }
  }
  return records;
}

const record = (shader, entry, state, cases, remark = "") => ({ shader: shader.name, entry: entry.name, state, cases, remark });

async function runEntry(device, shader, module, entry, cases, eight) {
  // Those with shuffles are right on subgroups of eight alone.
  if (shader.subgroups && !eight) return record(shader, entry, "compiled", 0, "it wants subgroups of eight");
  for (const [at, of] of cases.entries()) {
    const wrong = await run(device, module, entry, of);
    if (wrong) return record(shader, entry, "wrong", at, wrong);
  }
  return cases.length ? record(shader, entry, "right", cases.length) : record(shader, entry, "untested", 0);
}
