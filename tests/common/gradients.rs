//! A plan's step, and its gradients compared with central differences of what its updates minimize.

use narrows::Result;
use narrows::graph::{Device, MODEL, Plan, Replay, Store, StoreKind};

use super::noise;

type Setup<'a> = &'a dyn Fn(&mut Replay) -> Result<()>;

/// Writes so many numbers of noise to the input `x`, and the first parameters.
pub fn noisy_start(numbers: usize) -> impl Fn(&mut Replay) -> Result<()> {
    move |replay| {
        replay.write_floats("x", &noise(3, numbers))?;
        replay.write_initial(7)
    }
}

/// A replay of `plan` that `setup` made ready and that ran one step.
pub fn after_a_step(device: &Device, plan: &Plan, setup: Setup<'_>) -> Replay {
    let mut replay = pollster::block_on(Replay::new(device, plan.clone())).unwrap();
    setup(&mut replay).unwrap();
    pollster::block_on(replay.run(1)).unwrap();
    replay
}

/// The floats that `replay` keeps under `name`.
pub fn read(replay: &Replay, name: &str) -> Vec<f32> {
    pollster::block_on(replay.read_floats(name)).unwrap()
}

// What the update minimizes, in the first step.
fn objective(replay: &Replay, update: &str) -> f64 {
    let ring = read(replay, "ring");
    let values = ring.chunks(Plan::ring_steps() as usize).map(|line| line[0]);
    let own = replay.plan().terms.iter().zip(values).filter(|(term, _)| term.update == update);
    own.map(|(term, value)| f64::from(term.weight) / f64::from(term.averaged_over) * f64::from(value)).sum()
}

// The gradients that an update leaves for a group of parameters.
fn range(update: &str, store: &Store) -> String {
    let group = store.name.strip_prefix("parameters.").unwrap_or(MODEL);
    [update, group]
        .iter()
        .filter(|part| **part != MODEL)
        .fold("gradients".to_owned(), |name, part| format!("{name}.{part}"))
}

/// Compares the gradient of each parameter of `plan`, by each update that moves it, with central differences of what
/// that update minimizes: along a random direction in each parameter's own space.
pub fn check_gradients(what: &str, plan: &Plan, setup: Setup<'_>) {
    let mut updates: Vec<&str> = plan.terms.iter().map(|term| term.update.as_str()).collect();
    updates.dedup();
    let mut ready = pollster::block_on(Replay::new(&Device::Cpu, plan.clone())).unwrap();
    setup(&mut ready).unwrap();
    let replay = after_a_step(&Device::Cpu, plan, setup);
    let stores = plan.stores.iter().filter(|store| store.kind == StoreKind::Parameters);
    let pairs = stores.flat_map(|store| updates.iter().map(move |update| (store, *update)));
    let mut checked = 0;
    for (store, update) in pairs {
        let Some(gradient) =
            plan.named.get(&range(update, store)).map(|_| read(&replay, &range(update, store)))
        else {
            continue;
        };
        let initial = read(&ready, &store.name);
        for (parameter, seed) in store.layout.iter().zip(20..) {
            let direction = noise(seed, parameter.len());
            let slope = store.layout.view(parameter, &gradient).iter().zip(&direction);
            let slope: f64 = slope.map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
            let moved = |by: f32| {
                let mut flat = initial.clone();
                for (value, d) in flat[parameter.offset..].iter_mut().zip(&direction) {
                    *value += by * d;
                }
                let at_flat = |replay: &mut Replay| {
                    setup(replay)?;
                    replay.write_floats(&store.name, &flat)
                };
                objective(&after_a_step(&Device::Cpu, plan, &at_flat), update)
            };
            let h = 2e-3;
            let numeric = (moved(h) - moved(-h)) / (2.0 * f64::from(h));
            // The losses are f32: about 20 with an error of 1e-6.
            let within = 2e-3 + 1e-3 * slope.abs();
            assert!(
                (numeric - slope).abs() < within && slope != 0.0,
                "{what}, {update}, {}: {slope}, numerically {numeric}",
                parameter.name
            );
            checked += 1;
        }
    }
    assert!(checked > 0, "{what}: no gradient was checked");
}
