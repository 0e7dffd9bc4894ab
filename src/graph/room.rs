//! Whether a device has room for a plan's buffers and binds what its dispatches take, and if not, what helps.

use super::{Parameter, Plan, Slice};
use crate::{Error, Result};

impl Plan {
    /// Fails for a buffer, or a range that one dispatch binds, of more bytes than these.
    pub(super) fn check_room(&self, buffer: u64, binding: u64) -> Result<()> {
        for (at, spec) in self.buffers.iter().enumerate() {
            let (needed, whole) = (4 * spec.words as u64, 0..spec.words);
            if needed > buffer {
                return Err(self.no_room(format!("buffer {:?}", spec.label), (at, whole), needed, buffer));
            }
        }
        for dispatch in &self.dispatches {
            for (Slice { buffer, offset, .. }, operand) in
                dispatch.operands.iter().zip(dispatch.kernel.operands())
            {
                let (needed, range) = (4 * operand.words as u64, *offset..*offset + operand.words);
                if needed > binding {
                    let operation = format!("{}: its operand {}", dispatch.label, operand.name);
                    return Err(self.no_room(operation, (buffer.0, range), needed, binding));
                }
            }
        }
        Ok(())
    }

    fn no_room(
        &self,
        what: String,
        (buffer, range): (usize, std::ops::Range<usize>),
        needed: u64,
        allowed: u64,
    ) -> Error {
        let of_buffer = |slice: &&Slice| slice.buffer.0 == buffer;
        let names = || self.named.iter().filter(|(_, slice)| of_buffer(slice)).map(|(name, _)| name.as_str());
        let held = self.largest_in(names(), range);
        let (advice, what) = match held {
            Some(Parameter { name, shape, .. }) => (
                "What helps: fewer units (--hidden), smaller pictures (--size) or fewer columns (--columns), \
                 convolutions in place of dense layers (--stack strided, without --hidden), or --device cpu",
                format!("{what}, of which {name} {shape:?} is the largest part"),
            ),
            None if names().any(|name| name.starts_with("images")) => (
                "What helps: smaller images (--size), or several buffers for them, as Placement::on has them",
                what,
            ),
            None => {
                ("What helps: a smaller batch (--batch), narrower layers (--hidden), or --device cpu", what)
            }
        };
        Error::TooLarge { operation: what, needed, allowed, advice }
    }

    // The largest slot in a range of the store, or of the gradients of the store, that one of these names is of.
    fn largest_in<'a>(
        &self,
        mut names: impl Iterator<Item = &'a str>,
        range: std::ops::Range<usize>,
    ) -> Option<&Parameter> {
        let store = names.find_map(|name| {
            let gradients_of = |store: &&super::Store| {
                let of = store.name.strip_prefix("parameters");
                name == store.name || of.is_some_and(|of| name.starts_with("gradients") && name.ends_with(of))
            };
            self.stores.iter().find(gradients_of)
        })?;
        let inside = |slot: &&Parameter| slot.offset < range.end && slot.offset + slot.len() > range.start;
        store.layout.iter().filter(inside).max_by_key(|slot| slot.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Graph, Init, squared_error};
    use crate::reference::activation::Activation;

    #[test]
    fn what_has_no_room_is_named_with_what_helps() -> crate::Result<()> {
        let mut graph = Graph::new(640);
        let x = graph.input("x", 640, 30)?;
        let mut weight =
            |name: &str, shape: [usize; 2]| graph.parameter(name, shape.to_vec(), Init::Constant(0.1));
        let [first, second] = [weight("encoder.0.weight", [20, 30])?, weight("decoder.0.weight", [30, 20])?];
        let code = graph.dense("code", x, &first, None, Activation::Identity)?;
        let y = graph.dense("y", code, &second, None, Activation::Identity)?;
        graph.minimize(squared_error(y, x))?;
        let plan = graph.finish(true);
        let said = |buffer, binding| plan.check_room(buffer, binding).err().map(|error| error.to_string());
        assert_eq!(said(1 << 20, 1 << 20), None);
        // Of x, 640 · 30 · 4 bytes.
        let activations = said(1 << 20, 76_799).unwrap_or_default();
        assert!(activations.contains("76800 bytes") && activations.contains("(--batch)"), "{activations}");
        // Of both weights, 2 · 640 · 4 bytes.
        let parameters = said(5119, 1 << 20).unwrap_or_default();
        for part in
            ["decoder.0.weight [30, 20] is the largest part", "5120 bytes", "(--hidden)", "--stack strided"]
        {
            assert!(parameters.contains(part), "{parameters}");
        }
        assert!(!parameters.contains("batch") && !parameters.contains("images"), "{parameters}");
        Ok(())
    }
}
