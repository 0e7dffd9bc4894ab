//! Command lines that are almost right: each is taken or refused, and none panics. As `tests/mutated.rs`, for
//! `scripts/fuzz.sh`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::gpu::Kernels;

#[path = "../../tests/common/mutator.rs"]
mod mutator;

const LINES: [&str; 6] = [
    "train vae --hidden 256,64 --latent 10 --optimizer adam --lr 1e-3 --epochs 20 --device vulkan:0",
    "train cnn --data photos --size 32x48 --likelihood gaussian-learned --val 0.1 --grey --seed 7",
    "plan mlp --batch 32 --kl-warmup linear --columns a,b --missing mean --check --scale robust",
    "sample runs/x --grid 15 --dims 3,7 --out samples.png",
    "traverse runs/x --image 3 --dims 0,4,7 --range 2 --steps 11 --part train",
    "embed runs/x --perplexity 50 --seed 3 --count 9 --out - --format csv --device cpu",
];

#[test]
fn no_command_line_panics_that_is_almost_right() {
    let asked = std::env::var("NARROWS_FUZZ").unwrap_or("command-line 300 0".to_owned());
    let numbers: Vec<u64> = asked.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let (count, first) = (numbers[0], numbers[1]);
    let (registry, seeds) = (Registry::built_in(), LINES.map(|line| line.as_bytes().to_vec()));
    let plain = command(&registry);
    let (mut taken, began) = (0, web_time::Instant::now());
    for seed in first..first + count {
        let line = mutator::Mutator::new(seed).mutated(&seeds);
        let line = String::from_utf8_lossy(&line).into_owned();
        let read = catch_unwind(AssertUnwindSafe(|| parsed(&plain, &registry, &line)));
        taken += u64::from(read.unwrap_or_else(|_| panic!("command-line 1 {seed}: {line:?}")));
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "command-line: {count} inputs in {seconds:.0} s ({:.0} a second), {taken} taken",
        count as f64 / seconds
    );
}

// Whether it is taken as far as it can be without a device or data.
fn parsed(plain: &clap::Command, registry: &Registry, line: &str) -> bool {
    let words = ["narrows"].into_iter().chain(line.split(' '));
    let Ok(matches) = plain.clone().try_get_matches_from(words) else { return false };
    let given = matches.subcommand().filter(|(name, _)| SETTABLE.contains(name));
    let given = given.map(|(_, matches)| settings::given(matches, registry)).unwrap_or_default();
    let Ok(Arguments { command, device }) = Arguments::from_arg_matches(&matches) else { return false };
    let settled = match &command {
        Command::Train(train) => train.config.resolve(registry, &given).map(drop),
        Command::Plan(plan) => plan.config.resolve(registry, &given).map(drop),
        _ => Ok(()),
    };
    settled.is_ok() && device.options(Kernels::Rule).is_ok()
}
