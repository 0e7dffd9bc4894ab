//! Which variants were measured to be fastest, by adapter and shape, as a text that a later process reads.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::{MatMulVariant, ShapeClass};
use crate::{Error, Result};

// The first line of the text.
const TITLE: &str = "narrows kernels 1";
const ADAPTER: &str = "adapter ";

/// The fastest variants of some adapters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured(BTreeMap<String, BTreeMap<ShapeClass, MatMulVariant>>);

impl Measured {
    /// What was found on this adapter, with this driver; None where nothing was measured.
    pub fn of(&self, info: &wgpu::AdapterInfo) -> Option<&BTreeMap<ShapeClass, MatMulVariant>> {
        self.0.get(&key(info))
    }

    /// Notes what is fastest there for products of a class.
    pub fn note(&mut self, info: &wgpu::AdapterInfo, class: ShapeClass, fastest: MatMulVariant) {
        self.0.entry(key(info)).or_default().insert(class, fastest);
    }
}

// Another driver may compile otherwise.
fn key(info: &wgpu::AdapterInfo) -> String {
    let wgpu::AdapterInfo { backend, name, driver, driver_info, .. } = info;
    format!("{backend} {name} {driver} {driver_info}").split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}")?;
        for (adapter, fastest) in &self.0 {
            writeln!(f, "{ADAPTER}{adapter}")?;
            fastest.iter().try_for_each(|(class, variant)| writeln!(f, "{class} {variant}"))?;
        }
        Ok(())
    }
}

impl FromStr for Measured {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut lines = text.lines();
        let title = lines.next().unwrap_or_default();
        if title != TITLE {
            return Err(Error::setting(
                "measured kernels",
                format!("the first line {TITLE:?}"),
                format!("{title:?}"),
            ));
        }
        let (mut all, mut adapter) = (Self::default(), None);
        for line in lines {
            if let Some(name) = line.strip_prefix(ADAPTER) {
                adapter = Some(all.0.entry(name.to_owned()).or_default());
                continue;
            }
            let expected = "an adapter, or CLASS VARIANT below one";
            let wrong = || Error::setting("measured kernels", expected, format!("{line:?}"));
            let (class, variant) = line.split_once(' ').ok_or_else(wrong)?;
            let fastest = adapter.as_mut().ok_or_else(wrong)?;
            fastest.insert(class.parse()?, variant.parse()?);
        }
        Ok(all)
    }
}
