//! Records of benchmarks, with samples that are made up: what they come to, which differences are called differences, and
//! the record as a file and a page.
#![cfg(feature = "plot")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use narrows::bench::{
    Comparison, DeviceFacts, Group, Measurement, Record, Spread, Table, Verdict, Yardstick, page,
    ratio_interval,
};
use narrows::gpu::Clock;

// Samples around `middle`, evenly spread over the share `spread` of it to either side.
fn around(middle: f64, spread: f64) -> Vec<f64> {
    (0..9).map(|at| middle * (1.0 + spread * f64::from(at * 5 % 9 - 4) / 4.0)).collect()
}

fn result(name: &str, seconds: Vec<f64>, yardstick_seconds: Vec<f64>) -> Measurement {
    Measurement {
        name: name.to_owned(),
        group: Group::Matmul,
        shape: "[2, 3] x [3, 5]".to_owned(),
        clock: Clock::Timestamps,
        flops: 60,
        bytes: 124,
        images: None,
        rounds: 4,
        seconds,
        yardstick_seconds,
    }
}

fn record(results: Vec<Measurement>) -> Record {
    let [label, name] = ["0 (vulkan:0) card", "card"].map(str::to_owned);
    let [backend, kind, driver, kernels] = ["vulkan", "Cpu", "driver 1", "tile"].map(str::to_owned);
    Record {
        format: 1,
        narrows: "0.1.0".to_owned(),
        unix_seconds: 951_782_400,
        complete: true,
        quick: false,
        device: DeviceFacts { label, name, backend, kind, driver, kernels },
        clock: Clock::Timestamps,
        yardstick: Yardstick { name: "multiply-add".to_owned(), flops: 100 },
        remarks: Vec::new(),
        results,
    }
}

// The comparison of one result with itself under other times.
fn compared(now: [Vec<f64>; 2], then: [Vec<f64>; 2]) -> Comparison {
    let of = |[seconds, beside]: [Vec<f64>; 2]| record(vec![result("product", seconds, beside)]);
    Comparison::new(&of(now), &of(then))
}

#[test]
fn a_clear_difference_is_called_faster_or_slower() {
    let steady = || around(0.1, 0.01);
    let comparison = compared([around(0.8, 0.02), steady()], [around(1.0, 0.02), steady()]);
    let one = &comparison.benchmarks[0];
    assert_eq!(one.verdict, Verdict::Faster);
    assert!((one.ratio - 0.8).abs() < 1e-12, "{one:?}");
    assert!(one.interval[0] < 0.8 && 0.8 < one.interval[1] && one.interval[1] < 0.9, "{one:?}");
    let comparison = compared([around(1.2, 0.02), steady()], [around(1.0, 0.02), steady()]);
    assert_eq!(comparison.benchmarks[0].verdict, Verdict::Slower);
    assert!(comparison.summary().starts_with("1 compared: 0 faster, 1 slower, "), "{}", comparison.summary());
    assert!(comparison.warnings.is_empty(), "{:?}", comparison.warnings);
}

#[test]
fn the_same_samples_differ_by_nothing() {
    let record = record(vec![result("product", around(1.0, 0.2), around(0.1, 0.1))]);
    let comparison = Comparison::new(&record, &record);
    let one = &comparison.benchmarks[0];
    assert_eq!((one.verdict, one.ratio, one.ratio_to_ceiling), (Verdict::NoDifference, 1.0, Some(1.0)));
    assert!(one.interval[0] < 1.0 && 1.0 < one.interval[1], "{one:?}");
}

#[test]
fn what_noise_explains_is_no_difference() {
    let steady = || around(0.1, 0.0);
    // Medians differ by a tenth; samples by half.
    let comparison = compared([around(1.1, 0.5), steady()], [around(1.0, 0.5), steady()]);
    assert_eq!(comparison.benchmarks[0].verdict, Verdict::NoDifference);
    // One of both is noisy.
    let comparison = compared([around(1.1, 0.0), steady()], [around(1.0, 0.5), steady()]);
    assert_eq!(comparison.benchmarks[0].verdict, Verdict::NoDifference);
    // So little is the difference of two runs of one program.
    let comparison = compared([around(1.045, 0.0), steady()], [around(1.0, 0.0), steady()]);
    assert_eq!(comparison.benchmarks[0].verdict, Verdict::NoDifference);
    let comparison = compared([around(1.055, 0.0), steady()], [around(1.0, 0.0), steady()]);
    assert_eq!(comparison.benchmarks[0].verdict, Verdict::Slower);
}

#[test]
fn what_the_ceiling_shares_is_no_difference() {
    let of =
        |name: &str, seconds: f64, beside: f64| result(name, around(seconds, 0.01), around(beside, 0.01));
    // Everything takes a third more, as on a device that is busy.
    let then = record(vec![of("multiply-add", 0.1, 0.1), of("product", 1.0, 0.1)]);
    let now = record(vec![of("multiply-add", 0.13, 0.13), of("product", 1.3, 0.13)]);
    let comparison = Comparison::new(&now, &then);
    let [ceiling, product] = &comparison.benchmarks[..] else { panic!("{comparison:?}") };
    assert_eq!((ceiling.verdict, ceiling.ratio_to_ceiling), (Verdict::Slower, None));
    assert_eq!(product.verdict, Verdict::NoDifference);
    let to_ceiling = product.ratio_to_ceiling.unwrap();
    assert!((product.ratio - 1.3).abs() < 1e-9 && (to_ceiling - 1.0).abs() < 1e-9, "{product:?}");
    let warned = "the ceiling multiply-add takes 1.30 times what it took: ";
    assert!(comparison.warnings[0].starts_with(warned), "{:?}", comparison.warnings);
    // A ceiling that moved alone is no reason to call a time that did not a difference.
    let comparison =
        compared([around(1.0, 0.01), around(0.13, 0.01)], [around(1.0, 0.01), around(0.1, 0.01)]);
    assert_eq!(comparison.benchmarks[0].verdict, Verdict::NoDifference);
}

#[test]
fn few_samples_give_no_verdict() {
    let four = |seconds: f64| [vec![seconds; 4], vec![0.1; 4]];
    assert_eq!(compared(four(2.0), four(1.0)).benchmarks[0].verdict, Verdict::TooFewSamples);
    let five = |seconds: f64| [vec![seconds; 5], vec![0.1; 5]];
    assert_eq!(compared(five(2.0), five(1.0)).benchmarks[0].verdict, Verdict::Slower);
    assert_eq!(compared(five(2.0), four(1.0)).benchmarks[0].verdict, Verdict::TooFewSamples);
}

#[test]
fn what_cannot_be_compared_is_named() {
    let plain = || result("product", around(1.0, 0.0), around(0.1, 0.0));
    let then = record(vec![
        Measurement { clock: Clock::Wall, ..plain() },
        Measurement { name: "other".to_owned(), flops: 61, ..plain() },
    ]);
    let now = record(vec![
        plain(),
        Measurement { name: "other".to_owned(), ..plain() },
        Measurement { name: "new".to_owned(), ..plain() },
    ]);
    let comparison = Comparison::new(&now, &then);
    assert!(comparison.benchmarks.is_empty());
    assert_eq!(
        comparison.warnings,
        [
            "product is not compared: it was timed by the wall clock, now by the timestamps",
            "other is not compared: it does other work than it did",
            "1 of 3 benchmarks are not in the earlier record",
        ]
    );
    let mut then = record(vec![plain()]);
    (then.device.driver, then.device.name) = ("driver 2".to_owned(), "old card".to_owned());
    (then.narrows, then.complete) = ("0.0.9".to_owned(), false);
    assert_eq!(
        Comparison::new(&record(vec![plain()]), &then).warnings,
        [
            "another device: old card, now card",
            "another driver: driver 2, now driver 1",
            "another version of narrows: 0.0.9, now 0.1.0",
            "the earlier record was stopped before its end",
        ]
    );
}

#[test]
fn medians_quartiles_and_shares_are_those_of_the_samples() {
    let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]);
    assert_eq!(spread, Spread { median: 2.5, quartiles: [1.75, 3.25] });
    assert!((spread.relative() - 0.6).abs() < 1e-12);
    assert_eq!(Spread::of(&[7.0]), Spread { median: 7.0, quartiles: [7.0; 2] });
    assert!(Spread::of(&[]).median.is_nan());
    let one = Measurement { images: Some(8), ..result("product", vec![2.0, 4.0, 8.0], vec![1.0, 1.0, 4.0]) };
    assert_eq!(one.flops_per_second(), Some(15.0));
    assert_eq!(one.bytes_per_second(), Some(31.0));
    assert_eq!(one.images_per_second(), Some(2.0));
    // 60 of 100 operations in twice, four times and twice the time.
    assert_eq!(one.relative_seconds(), [2.0, 4.0, 2.0]);
    let share = one.share_of_ceiling(&record(Vec::new()).yardstick).unwrap();
    assert!((share.median - 0.3).abs() < 1e-12, "{share:?}");
    assert!(Measurement { flops: 0, ..one }.share_of_ceiling(&record(Vec::new()).yardstick).is_none());
}

#[test]
fn an_interval_of_ratios_holds_the_ratio_and_is_the_same_each_time() {
    let (now, then) = (around(3.0, 0.1), around(2.0, 0.1));
    let [low, high] = ratio_interval(&now, &then);
    assert!(low < 1.5 && 1.5 < high && high - low < 0.5, "{low} {high}");
    assert_eq!(ratio_interval(&now, &then), [low, high]);
    assert_eq!(ratio_interval(&[3.0; 5], &[2.0; 7]), [1.5; 2]);
    // Five samples can all be the largest in one draw in a hundred and more.
    assert_eq!(ratio_interval(&[1.0, 1.0, 1.0, 1.0, 9.0], &[1.0; 5]), [1.0, 9.0]);
}

#[test]
fn a_record_is_read_back_as_it_was_written() {
    let mut one = record(vec![
        result("product", around(1.0, 0.5), around(0.25, 0.5)),
        Measurement { images: Some(8), group: Group::Step, ..result("step", vec![1.0], vec![0.5]) },
    ]);
    one.remarks.push("something was left out".to_owned());
    let json = one.to_json().unwrap();
    assert_eq!(json["date"], "2000-02-29 00:00 UTC");
    assert_eq!(json["results"][0]["flops_per_second"], 60.0);
    assert_eq!(json["results"][1]["images_per_second"], 8.0);
    assert_eq!(Record::from_json(json.to_string().as_bytes()).unwrap(), one);
}

#[test]
fn a_damaged_record_is_refused() {
    let one = record(vec![result("product", vec![1.0, 2.0], vec![0.1; 2])]);
    let json = one.to_json().unwrap();
    let refused = |bytes: &[u8]| Record::from_json(bytes).unwrap_err().to_string();
    let expected = "record of benchmarks: expected a record that `narrows bench --out` wrote, found ";
    for (bytes, found) in [
        (&b""[..], "no JSON: "),
        (b"{\"epoch\": 1}", "JSON without `narrows_bench`"),
        (b"{\"narrows_bench\": 2}", "version 2 of the format; this narrows reads 1"),
        (b"{\"narrows_bench\": 1}", "missing field"),
    ] {
        let said = refused(bytes);
        assert!(said.starts_with(&format!("{expected}{found}")), "{said}");
    }
    let text = json.to_string();
    let cut = refused(&text.as_bytes()[..text.len() / 2]);
    assert!(cut.contains("no JSON"), "{cut}");
    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut json = json.clone();
        change(&mut json);
        refused(json.to_string().as_bytes())
    };
    let said = changed(&|json| json["results"][0]["seconds"][0] = (-1.0).into());
    assert!(said.ends_with("a sample of product that took -1 seconds"), "{said}");
    let said = changed(&|json| json["results"][0]["yardstick_seconds"] = vec![0.1].into());
    assert!(said.ends_with("2 samples of product and 1 of the yardstick"), "{said}");
    let said = changed(&|json| json["results"][0]["seconds"] = "soon".into());
    assert!(said.contains("invalid type"), "{said}");
    let said = changed(&|json| json["yardstick"]["flops"] = 0.into());
    assert!(said.ends_with("a yardstick without operations"), "{said}");
    let said = changed(&|json| json["device"]["name"] = "card\u{1b}[31m".into());
    assert!(said.ends_with("a name with control characters"), "{said}");
    let said = changed(&|json| json["results"] = vec![json["results"][0].clone(); 2].into());
    assert!(said.ends_with("product twice"), "{said}");
}

#[test]
fn a_record_says_what_its_times_were_taken_with() {
    let stamped = || result("product", vec![1.0], vec![0.1]);
    let step =
        || Measurement { group: Group::Step, clock: Clock::Wall, ..result("step", vec![1.0], vec![0.1]) };
    let lacking = || Measurement { clock: Clock::Wall, ..result("other", vec![1.0], vec![0.1]) };
    let said = |results| record(results).clocks();
    assert_eq!(said(vec![stamped()]), "the device's timestamps");
    assert_eq!(said(vec![step()]), "the wall clock");
    assert_eq!(said(vec![stamped(), step()]), "the device's timestamps, and the wall clock for 1 of 2");
    let none = "the wall clock: the device gave no timestamps that can be right of other";
    assert_eq!(said(vec![lacking(), step()]), none);
}

#[test]
fn a_table_has_the_columns_that_say_something() {
    let steady = |seconds: f64| around(seconds, 0.0);
    let copy = Measurement { flops: 0, bytes: 248, ..result("copy 64 MiB", steady(1e-9), steady(2e-9)) };
    let product = result("product", steady(2e-9), steady(2e-9));
    assert_eq!(
        Table::of(&record(vec![copy, product.clone()])).to_string(),
        "what           time  spread  GFLOP/s  of peak    GB/s  of copy\n\
         copy 64 MiB  0.0 us   0.0 %                    248.00  100.0 %\n\
         product      0.0 us   0.0 %    30.00   60.0 %   62.00   25.0 %"
    );
    let step = Measurement { flops: 0, bytes: 0, images: Some(4), ..product };
    assert_eq!(
        Table::of(&record(vec![step])).to_string(),
        "what       time  spread    images/s\nproduct  0.0 us   0.0 %  2000000000"
    );
    let comparison = compared([steady(1.5), steady(0.1)], [steady(1.0), steady(0.1)]);
    assert_eq!(
        comparison.to_string(),
        "what     ratio  to peak            99 %  verdict\nproduct  1.500    1.500  1.500 to 1.500   slower\n\
         1 compared: 0 faster, 1 slower, 0 without a difference beyond the noise, 0 with too few samples"
    );
}

#[test]
fn a_page_has_every_result_and_loads_nothing() {
    let hostile = "<script>alert(1)</script>";
    let mut one = record(vec![
        result("product", around(1.0, 0.3), around(0.1, 0.1)),
        Measurement { group: Group::Step, images: Some(8), ..result(hostile, vec![1.0], vec![0.1]) },
    ]);
    one.complete = false;
    let text = page(&one, Some(&Comparison::new(&one, &one)));
    for part in ["Benchmarks: card", "driver 1", "2000-02-29 00:00 UTC", "stopped before its end", "product"]
    {
        assert!(text.contains(part), "{part}");
    }
    assert!(text.contains("no difference beyond the noise") && text.contains("images per second"));
    let lines = text.matches("<svg").count();
    assert_eq!(lines, 3, "products, steps, and their share");
    assert!(!text.contains("<script") && !text.contains("NaN") && !text.contains("http://"), "{text}");
}
