//! The flags that say which device a command runs on, and opening it.

use bytesize::ByteSize;

use super::{kernels, output, size};
use crate::gpu::{GpuOptions, Kernels, Variants};
use crate::graph::Device;
use crate::train::Checkpoint;
use crate::{Error, Result};

// Which device a command runs on, and with which kernels. Clap would take a doc comment for that of the whole command.
#[derive(clap::Args)]
pub(super) struct DeviceFlags {
    /// Device: INDEX, BACKEND:INDEX or part of a NAME from `narrows devices`, or `cpu` for the CPU reference
    #[arg(long, global = true, value_name = "DEVICE", default_value = "auto", hide_default_value = true)]
    pub(super) device: String,
    /// Kernels for matrix products: `rule`, `measured` (by `narrows bench --choose`), or the NAME of one for all
    /// [default: measured, and by rule what was not]
    #[arg(long, global = true, value_name = "KERNELS")]
    pub(super) kernels: Option<String>,
    /// The most of the device's memory that a part of the data may take; a larger part streams, with the same results
    /// [default: 1GiB where it is the main memory, else all there is]. `narrows plan NAME --memory`, without a size, shows
    /// what training takes
    #[arg(long, global = true, value_name = "SIZE", value_parser = size, num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "the flag may be given without its value")]
    pub(super) memory: Option<Option<ByteSize>>,
}

impl DeviceFlags {
    pub(super) fn is_cpu(&self) -> bool {
        self.device == "cpu"
    }

    // Given without a size, it asks how much there is.
    pub(super) fn asks_for_memory(&self) -> bool {
        self.memory == Some(None)
    }

    fn size(&self) -> Result<Option<ByteSize>> {
        match self.memory {
            Some(None) => Err(Error::setting("--memory", "a size, such as 512MiB", "none")),
            size => Ok(size.flatten()),
        }
    }

    /// Refuses flags for a command that opens no device.
    pub(super) fn check_none(&self, command: &str) -> Result<()> {
        let given = [
            ("--device", (self.device != "auto").then(|| self.device.clone())),
            ("--kernels", self.kernels.clone()),
            ("--memory", self.memory.map(|size| size.map_or(String::new(), |size| size.to_string()))),
        ];
        match given.into_iter().find_map(|(flag, value)| Some((flag, value?))) {
            Some((flag, value)) => Err(Error::setting(
                flag,
                format!("no such flag with {command}, which needs no device"),
                value,
            )),
            None => Ok(()),
        }
    }

    pub(super) async fn open(&self) -> Result<Device> {
        self.open_with(self.size()?).await
    }

    pub(super) async fn open_with(&self, size: Option<ByteSize>) -> Result<Device> {
        if !self.is_cpu() {
            let kernels = kernels::parse(self.kernels.as_deref())?;
            return Device::open(&self.with(kernels, size)?).await;
        }
        if let Some(size) = size {
            let expected = "no such flag with --device cpu, which reads the data where they are";
            return Err(Error::setting("--memory", expected, size));
        }
        match &self.kernels {
            None => Ok(Device::Cpu),
            Some(kernels) => {
                let expected = "no such flag with --device cpu (the CPU reference has one way to multiply)";
                Err(Error::setting("--kernels", expected, kernels))
            }
        }
    }

    pub(super) fn options(&self, kernels: Kernels) -> Result<GpuOptions> {
        self.with(kernels, self.size()?)
    }

    fn with(&self, kernels: Kernels, size: Option<ByteSize>) -> Result<GpuOptions> {
        let data_memory = size.map(|size| size.as_u64());
        Ok(GpuOptions { selector: self.device.parse()?, kernels, data_memory, only_defaults: false })
    }

    // With the kernels that the model was trained with, if this device has them and no flag chooses others: the same
    // kernels give the same bits.
    pub(super) async fn open_for(&self, checkpoint: &Checkpoint) -> Result<Device> {
        let stored = checkpoint.kernels.as_deref().map(str::parse::<Variants>).transpose()?;
        let device = match stored.clone() {
            Some(stored) if !self.is_cpu() && self.kernels.is_none() => {
                match Device::open(&self.options(Kernels::Exactly(stored))?).await {
                    Err(Error::Setting { .. }) => self.open().await?,
                    outcome => outcome?,
                }
            }
            _ => self.open().await?,
        };
        let used = device.variants();
        if used != stored {
            let name = |variants: Option<Variants>| {
                variants.map_or("the reference".to_owned(), |variants| format!("`{variants}`"))
            };
            output::note(&format!(
                "note: the model was trained with the kernels of {}, this device uses those of {}: the last bits may differ",
                name(stored),
                name(used),
            ));
        }
        Ok(device)
    }
}
