//! Presets keep the values they were published with. `tests/presets.toml` has them as version 0.1 wrote them: every
//! setting of each, also those that no longer stand where they do not apply.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use narrows::graph::Shape;
use narrows::model::Registry;
use narrows::train::Config;

// What a configuration need not say, and means where it does not.
const DEFAULTS: [(&str, f32); 6] = [
    ("momentum", 0.0),
    ("beta1", 0.9),
    ("beta2", 0.999),
    ("epsilon", 1e-8),
    ("deviation", 0.1),
    ("corruption_amount", 0.2),
];

// Every setting by its section, less those that say their default.
fn settings(config: &Config) -> toml::Table {
    let mut sections: toml::Table = config.to_toml().unwrap().parse().unwrap();
    for (_, section) in &mut sections {
        let Some(section) = section.as_table_mut() else { continue };
        section.retain(|name, value| {
            let default = DEFAULTS.iter().find(|(with, _)| *with == name).map(|(_, number)| *number);
            let unsaid = default.is_some() && value.as_float().map(|number| number as f32) == default;
            !(unsaid || name == "corruption_rescale" && value.as_bool() == Some(false))
        });
    }
    sections
}

#[test]
fn every_preset_has_the_values_it_was_published_with() {
    let registry = Registry::built_in();
    let published: toml::Table = include_str!("presets.toml").parse().unwrap();
    for (name, section) in &published {
        let now = Config::preset(name).and_then(|config| config.fitted_to(Shape::new(28, 28, 1)));
        let now = now.unwrap_or_else(|error| panic!("{error}"));
        let text = toml::to_string(section).unwrap();
        let then = Config::from_toml(&registry, &text, name, name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(settings(&now), settings(&then), "{name}");
        // Layers that a file leaves out come from the preset, so their absence is asked for by itself.
        let listed = |side: &str| section["model"].as_table().unwrap().contains_key(side);
        assert_eq!(!now.model.encoder.is_empty(), listed("encoder"), "{name}");
        assert_eq!(!now.model.decoder.is_empty(), listed("decoder"), "{name}");
    }
}
