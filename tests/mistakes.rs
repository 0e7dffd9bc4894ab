//! Mistakes and mishaps on the command line: one clear line, the right exit code, nothing lost.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::process::{Command, Output, Stdio};

use tiny::command::{failure, misuse, narrows, place, success, text, train};
use tiny::listing;

#[test]
fn a_mistake_in_the_flags_is_one_line_and_leaves_nothing() {
    let place = place();
    for (arguments, expected) in [
        (&["train", "foo"][..], "preset: expected one of linear, mlp, "),
        (
            &["train", "vae", "--activation", "reluu"],
            "command line: model.activation: expected one of `identity`,",
        ),
        (
            &["train", "--likelihood", "poisson"],
            "command line: model.likelihood: expected one of `bernoulli`,",
        ),
        (&["presets", "foo"], "preset: expected one of linear, mlp, "),
        (
            &["train", "denoising-dropout", "--corruption-amount", "1"],
            "corruption_amount: expected a probability of at least 0 and below 1, which leaves nothing of an image, got 1",
        ),
        (
            &["train", "denoising", "--corruption", "salt-and-pepper", "--corruption-amount", "1"],
            "corruption_amount: expected a probability of at least 0 and below 1",
        ),
        (
            &["train", "vae", "--likelihood", "gaussian", "--deviation", "1e-30"],
            "deviation: expected a number between 1e-6 and 1e6, got 1e-30",
        ),
        (&["train", "--lr", "-1"], "learning_rate: expected a positive number, got -1"),
        (&["train", "--epochs", "0"], "epochs: expected at least 1, got 0"),
        (
            &["train", "mlp", "--sparsity", "l1"],
            "command line: setting of the variant mlp: expected a setting that applies (sparsity is one of sparse), \
             one of hidden, ",
        ),
        (
            &["train", "sparse-kl", "--code-activation", "relu"],
            "code_activation: expected sigmoid with the sparsity kl",
        ),
        (
            &["train", "sparse-kl", "--sparsity-target", "1"],
            "sparsity_target: expected above 0 and below 1, got 1",
        ),
        (&["train", "--kl-warmup", "cyclical", "--kl-cycles", "0"], "kl_cycles: expected at least 1, got 0"),
        (
            &["train", "--seed", "9223372036854775808"],
            "command line: train.seed: expected a whole number from 0 to 9223372036854775807, got ",
        ),
        (
            &["train", "--hidden", "4,x"],
            "command line: model.hidden: expected a whole number, as 400, got \"x\"",
        ),
        (
            &["train", "--hidden", "4,,5"],
            "command line: model.hidden: expected a whole number, as 400, got \"\"",
        ),
        (
            &["train", "--latent", "2.5"],
            "command line: model.latent: expected a whole number from 0 to 4294967295, got 2.5",
        ),
        (
            &["train", "--lr", "fast"],
            "command line: train.learning_rate: expected a number, as 0.5, got \"fast\"",
        ),
        (&["train", "mlp", "--tied", "3"], "command line: model.tied: expected true or false, got 3"),
        (&["train", "--clip-norm", "0"], "clip_norm: expected a positive number, got 0"),
        (
            &["train", "--latent", "0"],
            "latent: expected at least 1; 0 leaves the code to the last layer of a --stack, or of `encoder` in a file, got 0",
        ),
        (
            &["train", "--hidden", "4000000000"],
            "hidden, latent, encoder, decoder: expected layers of at most 2147483648 weights",
        ),
        (
            &["train", "--data", "idx", "--data-dir", "nowhere"],
            "data set idx: expected a folder of IDX files at nowhere",
        ),
        (
            &["train", "--run", "data/t10k-labels-idx1-ubyte/x"],
            "data/t10k-labels-idx1-ubyte: expected a folder, or nothing of that name, found a file",
        ),
        (&["train", "--device", "nonsense"], "no device matches the name \"nonsense\"; available: "),
        (&["train", "--device", ""], "no device matches the name \"\"; available: "),
        (
            &["train", "--device", "cpu", "--kernels", "rule"],
            "--kernels: expected no such flag with --device cpu",
        ),
        (
            &["train", "--kernels", "foo"],
            "kernels: expected rule, measured, tile128x8, tile64x8, tile64x4, tile32x4, register, shuffle32, shuffle64, got foo",
        ),
        (
            &["train", "--resume", "nowhere"],
            "nowhere: expected a run's folder, with last.safetensors, found no such folder",
        ),
        (
            &["train", "--resume", "data"],
            "data: expected a run's folder, with last.safetensors, found a folder without it",
        ),
        (
            &["plan", "--check", "--device", "cpu"],
            "--check: expected a device to compare with the CPU reference",
        ),
        (
            &["bench", "--device", "cpu"],
            "--device: expected a device to measure: the CPU reference is there to check results, and its speed says \
             nothing, got cpu",
        ),
        (
            &["bench", "--only", "gemm"],
            "--only: expected a part of a benchmark's name, such as matmul 512 or step vae, or a group: ceiling, dispatch, ",
        ),
        (&["bench", "--compare", "none.json"], "none.json: cannot read: "),
        (
            &["bench", "--compare", "data/t10k-labels-idx1-ubyte"],
            "data/t10k-labels-idx1-ubyte: expected a record that `narrows bench --out` wrote, found no JSON",
        ),
        (&["bench", "--out", "x.txt"], "--out: expected a name ending in .json, got x.txt"),
        (&["bench", "--html", "x.json"], "--html: expected a name ending in .html, got x.json"),
        (&["bench", "--html", "y/x.html"], "--html: expected a file in a folder that exists, got y"),
        (&["eval", "data"], "data: expected a run's folder, with last.safetensors"),
        (
            &["eval", "x.safetensors"],
            "x.safetensors: expected a run's folder or a checkpoint, found nothing of that name",
        ),
        (
            &["train", "--rescue", "data/t10k-labels-idx1-ubyte"],
            "data/t10k-labels-idx1-ubyte: expected a folder, or nothing of that name, found a file",
        ),
        (
            &["train", "--run", "data/t10k-labels-idx1-ubyte"],
            "data/t10k-labels-idx1-ubyte: expected a folder, or nothing of that name, found a file",
        ),
        (
            &["export", "data/t10k-labels-idx1-ubyte"],
            "data/t10k-labels-idx1-ubyte: expected a run's folder or a checkpoint, found another file",
        ),
        (&["sample", "x", "--out", "y/x.png"], "--out: expected a file in a folder that exists, got y"),
        (
            &["sample", "x", "--out", "x.jpg"],
            "--out: expected a name ending in .png or .npy or .csv or .jsonl, got x.jpg",
        ),
        (&["encode", "x", "--out", "x.txt"], "--out: expected a name ending in .npy or .csv, got x.txt"),
    ] {
        let said = failure(&mut narrows(place.path(), arguments));
        assert!(said.starts_with(expected), "{arguments:?}: {said}");
    }
    for (arguments, expected) in [
        (&["bench", "--samples", "0"][..], "expected a whole number from 1 to 1000"),
        (&["trian"], "a similar subcommand exists: 'train'"),
        (&["sample", "x", "--count", "0"], "expected a whole number from 1 to 10000000"),
        (
            &["interpolate", "x", "--from", "0", "--to", "-1"],
            "expected the index of an image or row, a whole number from 0",
        ),
        (
            &["interpolate", "x", "--from", "best", "--to", "1"],
            "from 0. A checkpoint is named as RUN here, as runs/",
        ),
        (&["sample", "x", "--seed", "-1"], "expected a whole number from 0 to 9223372036854775807"),
        (&["embed", "x", "--count", "-1"], "expected a whole number from 1 to 100000"),
        (&["eval", "x", "--part", "some"], "[possible values: test, validation, train, all]"),
    ] {
        let said = misuse(&mut narrows(place.path(), arguments));
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    let made: Vec<String> = listing(place.path()).into_iter().filter(|name| name != "runs").collect();
    assert_eq!(made, ["data"]);
    assert!(!place.path().join("runs").exists() || listing(&place.path().join("runs")).is_empty());
}

#[test]
fn a_model_of_too_many_layers_is_refused_at_once() {
    let place = place();
    let widths = vec!["1"; 20_000].join(",");
    fs::write(place.path().join("deep.toml"), format!("[model]\nvariant = \"mlp\"\nhidden = [{widths}]\n"))
        .unwrap();
    for command in ["plan", "train"] {
        let said = failure(&mut narrows(place.path(), &[command, "--config", "deep.toml"]));
        assert_eq!(said, "hidden: expected at most 1000 layers, got 20000");
    }
    let layers = "{ layer = \"dense\", units = 1 },".repeat(1_001);
    fs::write(place.path().join("deep.toml"), format!("[model]\nvariant = \"mlp\"\nencoder = [{layers}]\n"))
        .unwrap();
    let said = failure(&mut narrows(place.path(), &["plan", "--config", "deep.toml"]));
    assert_eq!(said, "encoder: expected at most 1000 layers, got 1001");
}

#[test]
fn a_resumed_run_takes_only_settings_of_training_and_the_datas_place() {
    let place = place();
    success(&mut train(place.path(), &["mlp", "--epochs", "1", "--run", "run"]));
    let resume = |more: &[&str]| {
        let mut command = narrows(place.path(), &["train", "--resume", "run"]);
        command.args(more);
        command
    };
    let (out, _) = success(&mut resume(&[]));
    assert!(out.starts_with("all 1 epochs are done; to continue, give --epochs above 1\n"), "{out}");
    fs::rename(place.path().join("data"), place.path().join("moved")).unwrap();
    assert!(failure(&mut resume(&["--epochs", "2"])).contains("expected a folder of IDX files at data"));
    success(&mut resume(&["--epochs", "2", "--data-dir", "moved"]));
    assert!(place.path().join("run/epoch-002-reconstructions.png").exists());
    for (flags, named) in [
        (&["--batch", "4"][..], "batch"),
        (&["vae"], "preset vae"),
        (&["--data", "mnist", "--validation", "2"], "data, validation"),
        (&["--config", "run/config.toml"], "config"),
    ] {
        let expected = "--resume: expected only settings of training, but --batch and --seed, and --data-dir with it; a \
                        new run with other settings can begin with this run's parameters: --init RUN, got ";
        assert_eq!(failure(&mut resume(flags)), format!("{expected}{named}"));
    }
    assert!(
        failure(&mut resume(&["--run", "other"])).starts_with("--run: expected no such flag with --resume")
    );
    // Found out before the data are looked for.
    let again = failure(&mut train(place.path(), &["mlp", "--run", "run"]));
    assert_eq!(again, "run: expected a folder without a run, or --resume to continue this one, found a run");
}

#[test]
fn a_run_that_is_not_there_is_answered_with_those_that_are() {
    let place = place();
    for name in ["sums-1", "sums-2", "other"] {
        success(&mut train(place.path(), &["mlp", "--epochs", "1", "--run", &format!("runs/{name}")]));
    }
    fs::create_dir(place.path().join("runs/empty")).unwrap();
    let model = "expected a run's folder or a checkpoint";
    let run = "expected a run's folder, with last.safetensors";
    let (nothing, there) = ("found nothing of that name", "Runs: runs/sums-2, runs/sums-1, runs/other");
    let by_name = "Runs: runs/other, runs/sums-1, runs/sums-2";
    for (arguments, expected) in [
        (&["eval", "runs/sums2"][..], format!("runs/sums2: {model}, {nothing}. {there}")),
        (&["eval", "sums2"], format!("sums2: {model}, {nothing}. {there}")),
        (&["eval", "run/sums2"], format!("run/sums2: {model}, {nothing}. {there}")),
        (&["eval", "runs"], format!("runs: {run}, found a folder without it. {by_name}")),
        (&["report", "runs/sums2"], format!("runs/sums2: {run}, found no such folder. {there}")),
        (&["train", "--resume", "runs/sums2"], format!("runs/sums2: {run}, found no such folder. {there}")),
        (
            &["eval", "runs/other/config.toml"],
            format!("runs/other/config.toml: {model}: give runs/other, found another file"),
        ),
    ] {
        assert_eq!(failure(&mut narrows(place.path(), arguments)), expected, "{arguments:?}");
    }
}

#[test]
fn the_end_of_a_run_says_what_can_be_done_with_it() {
    let place = place();
    let (out, _) = success(&mut train(place.path(), &["vae", "--epochs", "1", "--run", "a run"]));
    let expected = "\
next:     narrows sample 'a run', narrows eval 'a run',
          narrows score 'a run' (what is unusual), narrows export 'a run' (ONNX, PyTorch)
";
    assert!(out.ends_with(expected), "{out}");
}

#[test]
fn only_what_has_a_prior_can_be_sampled() {
    let place = place();
    success(&mut train(place.path(), &["mlp", "--epochs", "1", "--run", "run"]));
    let said = failure(&mut narrows(place.path(), &["sample", "run"]));
    assert_eq!(said, "sample: expected a model with a prior, such as vae, got mlp, which has no prior");
    let said = failure(&mut narrows(place.path(), &["reconstruct", "run", "--corrupt"]));
    assert_eq!(
        said,
        "--corrupt: expected a model trained on corrupted images, got mlp, trained without corruption"
    );
    let said = failure(&mut narrows(place.path(), &["eval", "run", "--data", "sample"]));
    assert_eq!(
        said,
        "data set sample: expected images of 7 x 5 x 1, as in training, got images of 28 x 28 x 1"
    );
    let said =
        failure(&mut narrows(place.path(), &["eval", "run", "--validation", "0", "--part", "validation"]));
    assert_eq!(said, "--part: expected a part with images, or all, got validation, which has none");
}

#[test]
fn a_closed_pipe_ends_quietly_and_does_not_end_a_run() {
    let place = place();
    // Not even the first line finds a reader.
    let unread = |mut command: Command| {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let Output { status, stderr, .. } = child.wait_with_output().unwrap();
        let said = text(&stderr);
        assert!(status.success() && !said.contains("panicked") && !said.contains("pipe"), "{status}: {said}");
    };
    unread(narrows(place.path(), &["plan", "vae"]));
    unread(narrows(place.path(), &["devices", "--json"]));
    unread(train(place.path(), &["mlp", "--epochs", "2", "--run", "run"]));
    assert!(place.path().join("run/epoch-002-reconstructions.png").exists());
    // What is not delivered is not done.
    let mut encode = narrows(place.path(), &["encode", "run", "--out", "-"]);
    let mut child = encode.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(141));
}

#[test]
fn results_stream_to_standard_output_and_their_note_to_standard_error() {
    let place = place();
    success(&mut train(place.path(), &["vae", "--epochs", "1", "--run", "run"]));
    let streamed = |arguments: &[&str]| {
        let command = &mut narrows(place.path(), arguments);
        let Output { status, stdout, stderr } = command.args(["--out", "-"]).output().unwrap();
        assert!(status.success(), "{}", text(&stderr));
        assert!(text(&stderr).contains("standard output: "), "{}", text(&stderr));
        stdout
    };
    success(&mut narrows(place.path(), &["encode", "run"]));
    assert_eq!(streamed(&["encode", "run"]), fs::read(place.path().join("codes.npy")).unwrap());
    assert!(text(&streamed(&["encode", "run", "--format", "csv"])).starts_with("z0,z1,z2,label\n"));
    assert!(text(&streamed(&["embed", "run", "--perplexity", "2"])).starts_with("<svg"));
    assert!(streamed(&["sample", "run", "--count", "4"]).starts_with(b"\x89PNG"));
    assert!(!place.path().join("-").exists());
    let said = failure(&mut narrows(place.path(), &["encode", "run", "--format", "csv"]));
    assert_eq!(said, "--format: expected no such flag with --out FILE, whose ending is the format, got npy");
}

/// What a shell says of a command after `limit`, with its exit code.
#[cfg(unix)]
fn limited(place: &std::path::Path, limit: &str, command: &str) -> (Option<i32>, String) {
    let script = format!("{limit} && exec {} {command}", env!("CARGO_BIN_EXE_narrows"));
    let mut shell = Command::new("sh");
    shell.current_dir(place).env("XDG_RUNTIME_DIR", place).args(["-c", &script]);
    let Output { status, stderr, .. } = shell.output().unwrap();
    (status.code(), text(&stderr))
}

#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_is_an_error_that_says_how_much_was_wanted() {
    let place = place();
    let wide = "train mlp --data idx --data-dir data --hidden 20000,20000 --batch 8 --device cpu --run run";
    let (code, said) = limited(place.path(), "ulimit -v 2000000", wide);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("error: prepare the plan: needs ") && said.contains(" bytes of memory"), "{said}");
    assert!(!said.contains("--device cpu") && !place.path().join("run").exists(), "{said}");
    fs::create_dir(place.path().join("pictures")).unwrap();
    image::GrayImage::new(3, 3).save(place.path().join("pictures/0.png")).unwrap();
    let large = "train mlp --data pictures --size 32768 --device cpu --run run";
    let (code, said) = limited(place.path(), "ulimit -v 2000000", large);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("error: decode the pictures: needs ") && said.contains("smaller --size"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_packed_file_that_finds_no_memory_is_not_called_damaged() {
    use std::io::Write;
    let place = place();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&vec![0; 8_000_000]).unwrap();
    let zeros = packed.finish().unwrap();
    let mut header = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    header.write_all(&[0x803, 400_000, 28, 28].map(u32::to_be_bytes).concat()).unwrap();
    let file = place.path().join("data/train-images-idx3-ubyte.gz");
    fs::write(&file, [header.finish().unwrap(), zeros.repeat(40)].concat()).unwrap();
    fs::remove_file(file.with_extension("")).unwrap();
    let train = "train mlp --data idx --data-dir data --device cpu --epochs 1 --run run";
    let (code, said) = limited(place.path(), "ulimit -v 400000", train);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("train-images-idx3-ubyte.gz: cannot read: ") && said.contains("memory"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_named_pipe_whose_reader_leaves_is_an_error() {
    use std::io::Read;
    let place = place();
    success(&mut train(place.path(), &["vae", "--epochs", "1", "--run", "run"]));
    let pipe = place.path().join("samples.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // More than a pipe holds.
    let mut sample = narrows(place.path(), &["sample", "run", "--count", "9000", "--out", "samples.png"]);
    let child = sample.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    fs::File::open(&pipe).unwrap().read_exact(&mut [0]).unwrap();
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(text(&stderr).starts_with("error: samples.png: cannot write: Broken pipe"), "{}", text(&stderr));
}

#[cfg(unix)]
#[test]
fn a_signal_saves_the_run_and_gives_its_exit_code_unless_it_is_ignored() {
    use std::os::unix::process::ExitStatusExt;
    let place = place();
    // Waits for the first epoch: then the run listens.
    let run = |name: &str, epochs: &str, before: &str, signal: &str| {
        let flags = tiny::command::TINY.join(" ");
        let script = format!(
            "{before} exec {} train mlp {flags} --device cpu --epochs {epochs} --run {name}",
            env!("CARGO_BIN_EXE_narrows")
        );
        let mut shell = Command::new("sh");
        let shell = shell.current_dir(place.path()).args(["-c", &script]).stdout(Stdio::null());
        let mut child = shell.stderr(Stdio::null()).spawn().unwrap();
        while !place.path().join(name).join("metrics.jsonl").exists() {
            assert!(child.try_wait().unwrap().is_none(), "{name}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        child.wait().unwrap()
    };
    assert_eq!(run("TERM", "100000", "", "-TERM").code(), Some(143));
    // Who runs the tests behind nohup, or in the background of a script, has them ignored already.
    let heard = |name: &str, number: u32, code: i32| match ignores(number) {
        true => assert!(run(name, "9", "", &format!("-{name}")).success()),
        false => assert_eq!(run(name, "100000", "", &format!("-{name}")).code(), Some(code)),
    };
    heard("INT", 2, 130);
    if cfg!(target_os = "linux") {
        heard("HUP", 1, 129);
        let ignoring = run("ignored", "9", "trap '' HUP;", "-HUP");
        assert!(ignoring.success() && ignoring.signal().is_none(), "{ignoring}");
    }
    for saved in ["INT", "TERM"] {
        assert!(place.path().join(saved).join("last.safetensors").exists());
    }
}

// Whether this process, and so those that it starts, ignores a signal.
#[cfg(unix)]
fn ignores(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() >> (number - 1) & 1 == 1)
}

#[cfg(target_os = "linux")]
#[test]
fn fewer_threads_than_processors_are_fewer_threads_of_work() {
    let place = place();
    // The limit binds no superuser: without prlimit's effect the command must do as well.
    let flags = tiny::command::TINY.join(" ");
    let (code, said) = limited(
        place.path(),
        "ulimit -u 1 2>/dev/null || true",
        &format!("train mlp {flags} --device cpu --epochs 1 --run run"),
    );
    assert_eq!(code, Some(0), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_of_and_loses_no_run() {
    let place = place();
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let told = |command: &mut Command| {
        let said = failure(command.stdout(full()));
        assert!(said.starts_with("standard output: cannot write: No space left on device"), "{said}");
    };
    told(&mut narrows(place.path(), &["devices"]));
    told(&mut train(place.path(), &["mlp", "--epochs", "2", "--run", "run"]));
    assert!(place.path().join("run/epoch-002-reconstructions.png").exists());
    for (name, file) in [("reconstruct", "full.png"), ("encode", "full.npy"), ("encode", "full.csv")] {
        std::os::unix::fs::symlink("/dev/full", place.path().join(file)).ok();
        let said = failure(&mut narrows(place.path(), &[name, "run", "--out", file]));
        assert!(said.starts_with(&format!("{file}: cannot write: No space left on device")), "{said}");
    }
}
