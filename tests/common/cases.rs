//! What `check` ran, kept for other programs to run again: where `NARROWS_TEST_CASES` names a folder, each entry point
//! leaves dispatches there, one for each set of constants, with what they read and what the reference makes of it. What is
//! there has passed on this device.

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use narrows::gpu::Gpu;
use narrows::kernels::{Call, Kernel};
use narrows::reference::compare::Tolerance;
use narrows_shaders::{Access, Binding, fold};

// Bytes of a case. The largest of no more is kept: enough for several workgroups, and quickly run again.
const SIZE: usize = 32 << 10;

/// Keeps a dispatch if `NARROWS_TEST_CASES` is set. `before` are all operands before it, `tolerances` those of what it writes
/// or None for words. Of a kernel that the device splits, both halves are kept.
pub fn keep(gpu: &Gpu, kernel: &dyn Kernel, before: &[Vec<u32>], tolerances: &[Option<Tolerance>]) {
    let Some(folder) = std::env::var_os("NARROWS_TEST_CASES") else { return };
    let folder = Path::new(&folder);
    let Some(split) = kernel.split(&gpu.variants) else {
        return write(folder, gpu, kernel, before, &after(kernel, before), tolerances);
    };
    let mut first = before[..split.taken].to_vec();
    first.extend(split.between.iter().map(|words| vec![0; *words]));
    let between = after(split.first.as_ref(), &first);
    write(folder, gpu, split.first.as_ref(), &first, &between, &vec![tolerances[0]; between.len()]);
    let second = [&between, &before[split.taken..]].concat();
    let expected = after(split.second.as_ref(), &second);
    write(folder, gpu, split.second.as_ref(), &second, &expected, tolerances);
}

// What the reference writes.
fn after(kernel: &dyn Kernel, before: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let reads = kernel.operands().iter().filter(|operand| operand.access == Access::Read).count();
    let (reads, written) = before.split_at(reads);
    let mut written = written.to_vec();
    let reads: Vec<&[u32]> = reads.iter().map(Vec::as_slice).collect();
    let mut writes: Vec<&mut [u32]> = written.iter_mut().map(Vec::as_mut_slice).collect();
    kernel.reference(&reads, &mut writes);
    written
}

fn write(
    folder: &Path,
    gpu: &Gpu,
    kernel: &dyn Kernel,
    before: &[Vec<u32>],
    after: &[Vec<u32>],
    tolerances: &[Option<Tolerance>],
) {
    let call = kernel.call(&gpu.variants);
    let case = case(gpu, kernel, &call, before, after, tolerances);
    let mut hasher = DefaultHasher::new();
    for (name, value) in &call.constants {
        (name, value.to_bits()).hash(&mut hasher);
    }
    let path = folder.join(format!("{}.{}.{:016x}.json", call.shader.name, call.entry, hasher.finish()));
    let distance = |size: usize| if size <= SIZE { SIZE - size } else { size };
    if fs::metadata(&path).is_ok_and(|there| distance(there.len() as usize) <= distance(case.len())) {
        return;
    }
    // Tests run beside each other: each writes a file of its own and moves it there whole.
    let own = path.with_extension(format!("{:?}.{}", std::thread::current().id(), std::process::id()));
    fs::write(&own, case).unwrap();
    fs::rename(own, path).unwrap();
}

fn case(
    gpu: &Gpu,
    kernel: &dyn Kernel,
    call: &Call,
    before: &[Vec<u32>],
    after: &[Vec<u32>],
    tolerances: &[Option<Tolerance>],
) -> String {
    let params: Vec<u32> = bytemuck::pod_collect_to_vec(&kernel.params());
    let constants: Vec<String> =
        call.constants.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    let info = &gpu.adapter.info;
    let mut text = format!(
        "{{\"device\":{:?},\"shader\":{:?},\"entry\":{:?},\"constants\":{{{}}},\"workgroups\":{:?},\"params\":{params:?},",
        format!("{}: {} {}", info.name, info.driver, info.driver_info).trim_end(),
        call.shader.name,
        call.entry,
        constants.join(","),
        fold(call.workgroups),
    );
    text += "\"operands\":[";
    let mut written = after.iter().zip(tolerances);
    let table = call.table().unwrap();
    let bound = table.bindings.iter().filter(|binding| binding.access != Access::Uniform);
    for (at, (binding, before)) in bound.zip(before).enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let Binding { slot, name, .. } = binding;
        write!(text, "{comma}{{\"slot\":{slot},\"name\":{name:?},\"before\":{before:?}").unwrap();
        if binding.access == Access::ReadWrite {
            let (after, tolerance) = written.next().unwrap();
            write!(text, ",\"after\":{after:?}").unwrap();
            if let Some(Tolerance { absolute, relative }) = tolerance {
                write!(text, ",\"absolute\":{absolute:e},\"relative\":{relative:e}").unwrap();
            }
        }
        text += "}";
    }
    text + "]}\n"
}
