//! `narrows bench` from end to end. No time is asserted: the machine has other work.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;

use narrows::bench::Record;
use serde_json::Value;
use tempfile::TempDir;
use tiny::command::{failure, narrows, success};
use tiny::listing;

#[test]
fn a_device_is_measured_written_and_compared() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    let quick = ["bench", "--quick", "--samples", "2", "--only"];
    let measured = |only: &str, more: &[&str]| success(narrows(place, &quick).arg(only).args(more));
    let (out, said) = measured("linear", &["--out", "a.json", "--html", "a.html"]);
    assert!(out.contains("\ntimed by the wall clock\n"), "{out}");
    assert!(
        out.contains("\nceiling: ") && out.contains("images/s") && out.contains("\nstep linear at batch 128"),
        "{out}"
    );
    assert!(out.ends_with("a.json: 1 benchmarks\na.html: charts and tables\n"), "{out}");
    assert!(said.contains("measuring: step\n"), "{said}");
    let record = Record::load(&place.join("a.json")).unwrap();
    assert!(record.complete && record.quick);
    let step = record.result("step linear at batch 128").unwrap();
    assert_eq!((step.seconds.len(), step.images), (2, Some(128)));
    let page = fs::read_to_string(place.join("a.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("step linear") && page.contains("<svg"));

    let (out, _) = measured("linear", &["--compare", "a.json"]);
    assert!(out.contains("\ncompared with 20") && out.contains("too few samples"), "{out}");
    assert!(out.ends_with(
        "1 compared: 0 faster, 0 slower, 0 without a difference beyond the noise, 1 with too few samples\n"
    ));

    let (out, said) = measured("dispatch", &["--json", "--compare", "a.json", "--out", "a.json"]);
    let object: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(object["results"].as_array().unwrap().len(), 2);
    assert_eq!(object["comparison"]["benchmarks"].as_array().unwrap().len(), 0);
    assert!(said.contains("warning: 2 of 2 benchmarks are not in the earlier record\n"), "{said}");
    assert!(said.ends_with("a.json: 2 benchmarks\n"), "{said}");
    assert_eq!(Record::load(&place.join("a.json")).unwrap().results.len(), 2);
    assert_eq!(listing(place), ["a.html", "a.json"]);

    fs::write(place.join("a.json"), "{\"narrows_bench\": 7}").unwrap();
    let said = failure(&mut narrows(place, &["bench", "--compare", "a.json"]));
    let expected = "a.json: expected a record that `narrows bench --out` wrote, found version 7 of the format; this narrows reads 1";
    assert_eq!(said, expected);
}

#[cfg(unix)]
#[test]
fn an_interrupted_measurement_keeps_what_is_there() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};
    let place = TempDir::new().unwrap();
    let place = place.path();
    let flags = ["bench", "--quick", "--samples", "1000", "--only", "dispatch", "--json", "--out", "a.json"];
    let mut child = narrows(place, &flags).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("measuring: dispatch") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0);
    }
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let (mut out, mut rest) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143), "{rest}");
    assert!(rest.starts_with("stopped: the results are those of the samples taken by then\n"), "{rest}");
    let object: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(object["complete"], false);
    let record = Record::load(&place.join("a.json")).unwrap();
    assert!(!record.complete && record.results.iter().all(|result| result.seconds.len() < 1000));
}

#[test]
fn the_fastest_kernels_are_kept_for_later_commands_and_a_damaged_file_of_them_is_passed_over() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    let said =
        |arguments: &[&str]| success(narrows(place, arguments).env("NARROWS_CACHE", place.join("cache")));
    let choose = ["bench", "--choose", "--samples", "1", "--only", "matmul 128x400x40"];
    let (out, _) = said(&choose);
    assert!(out.starts_with("nt:128x64x512x1 "), "{out}");
    assert!(out.ends_with("kernels.txt: the fastest kernels of 1 kinds of products\n"), "{out}");
    let file = place.join("cache").join("kernels.txt");
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("adapter ") && lines.len() == 3, "{text}");
    // What it says counts, whatever it is.
    fs::write(&file, format!("{}\n{}\nnt:128x64x512x1 register\n", lines[0], lines[1])).unwrap();
    let layer = |arguments: &[&str]| {
        let (out, said) = said(arguments);
        let line = out.lines().find(|line| line.contains("encoder.1  ")).unwrap().to_owned();
        (line.rsplit(' ').next().unwrap().to_owned(), said)
    };
    assert_eq!(layer(&["plan", "vae"]).0, "register");
    assert_eq!(layer(&["plan", "vae", "--kernels", "measured"]).0, "register");
    assert_ne!(layer(&["plan", "vae", "--kernels", "rule"]).0, "register");
    assert_eq!(layer(&["plan", "vae", "--kernels", "tile32x4"]).0, "tile32x4");

    fs::write(&file, "narrows kernels 1\nadapter x\nfoo\n").unwrap();
    let (name, said_of) = layer(&["plan", "vae"]);
    assert_ne!(name, "register");
    assert!(
        said_of.contains("kernels.txt is ignored: measured kernels: expected an adapter, or CLASS VARIANT"),
        "{said_of}"
    );
    said(&choose);
    assert!(!layer(&["plan", "vae"]).1.contains("ignored"));

    let mut nothing = narrows(place, &["bench", "--choose", "--only", "copy"]);
    assert!(failure(&mut nothing).starts_with("--choose: expected benchmarks that make products"));
}
