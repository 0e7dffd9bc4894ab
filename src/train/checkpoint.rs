//! Checkpoints: everything a run needs to go on bit for bit, in one safetensors file.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::metrics::RunningLosses;
use super::trainer::EpochState;
use super::{Config, Losses, Trainer};
use crate::data::Dataset;
use crate::graph::ParameterLayout;
use crate::kernels::state::State;
use crate::model::Model;
use crate::{Error, Result};

const FORMAT: &str = "narrows checkpoint 1";

/// A trained, or half-trained, model. Parameters are stored by name in PyTorch's shapes, so other tools
/// can read them; the optimizer's moments stand beside them as `moment1.NAME`.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The run's configuration.
    pub config: Config,
    /// Height, width and channels of its images.
    pub shape: [usize; 3],
    /// The matrix-product variant it was trained with; None on the CPU reference.
    pub matmul: Option<String>,
    /// The flat parameter buffer.
    pub parameters: Vec<f32>,
    /// The optimizer's flat moment buffers, by name.
    pub moments: Vec<(String, Vec<f32>)>,
    /// The mean training image, where the model subtracts it.
    pub center: Option<Vec<f32>>,
    pub(super) state: State,
    pub(super) progress: EpochState,
}

// What does not fit tensors. Sums are kept as bits: they must come back exactly.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    config: Config,
    shape: [usize; 3],
    matmul: Option<String>,
    epoch: u32,
    step: u64,
    running_steps: u64,
    running_sum_bits: [u64; 2],
    best_bits: Option<u64>,
}

impl Trainer {
    /// Everything that is needed to go on from here.
    ///
    /// # Errors
    /// [`Error::DeviceLost`].
    pub async fn checkpoint(&self) -> Result<Checkpoint> {
        let mut moments = Vec::new();
        for name in self.config.train.optimizer().moments() {
            moments.push(((*name).to_owned(), self.replay.read_floats(name).await?));
        }
        Ok(Checkpoint {
            config: self.config.clone(),
            shape: self.shape,
            matmul: self.device().variants().map(|variants| variants.matmul.to_string()),
            parameters: self.replay.read_floats("parameters").await?,
            moments,
            center: self.center.clone(),
            state: self.replay.read_state().await?,
            progress: self.progress,
        })
    }
}

impl Checkpoint {
    /// The model it holds the parameters of.
    ///
    /// # Errors
    /// [`Error::Setting`] where its configuration makes no sense.
    pub fn model(&self) -> Result<Model> {
        Model::new(&self.config.model, self.shape.iter().product::<usize>() as u32)
    }

    /// Epochs completed.
    pub fn epoch(&self) -> u32 {
        self.progress.epoch
    }

    /// Steps completed.
    pub fn step(&self) -> u64 {
        self.progress.step
    }

    fn layout(&self) -> Result<ParameterLayout> {
        Ok(self.model()?.decoding(1)?.parameters)
    }

    /// The named parameters, in order: name, shape, values.
    ///
    /// # Errors
    /// [`Error::Setting`] where its configuration makes no sense.
    pub fn named(&self) -> Result<Vec<(String, Vec<usize>, Vec<f32>)>> {
        let layout = self.layout()?;
        let view = |p| layout.view(p, &self.parameters).to_vec();
        Ok(layout.iter().map(|p| (p.name.clone(), p.shape.clone(), view(p))).collect())
    }

    /// Whether `data` has images of the size the model was trained on.
    ///
    /// # Errors
    /// [`Error::Shape`] where it has not.
    pub fn check_images(&self, data: &Dataset) -> Result<()> {
        let got = [data.height, data.width, data.channels];
        if got == self.shape {
            return Ok(());
        }
        let [height, width, channels] = self.shape;
        let expected = format!("images of {height}x{width}x{channels}, as in training");
        Err(Error::shape(format!("data set {}", data.name), expected, format!("{got:?}")))
    }

    /// Writes the file whole or not at all: beside its place first, then moved there.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        let layout = self.layout()?;
        let mut tensors: Vec<(String, Vec<usize>, Dtype, Vec<u8>)> = Vec::new();
        let float = |name: String, shape: Vec<usize>, values: &[f32]| {
            (name, shape, Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect())
        };
        for parameter in layout.iter() {
            let shape = || parameter.shape.clone();
            tensors.push(float(parameter.name.clone(), shape(), layout.view(parameter, &self.parameters)));
            for (moment, values) in &self.moments {
                let name = format!("{moment}.{}", parameter.name);
                tensors.push(float(name, shape(), layout.view(parameter, values)));
            }
        }
        if let Some(center) = &self.center {
            tensors.push(float("center".to_owned(), vec![center.len()], center));
        }
        let state = self.state.words().iter().flat_map(|word| word.to_le_bytes()).collect();
        tensors.push(("state".to_owned(), vec![State::WORDS], Dtype::U32, state));
        let refuse = |message: String| Error::File {
            path: path.to_owned(),
            expected: "a checkpoint that can be written".to_owned(),
            found: message,
        };
        let header = serde_json::to_string(&self.header()).map_err(|error| refuse(error.to_string()))?;
        let mut views = Vec::new();
        for (name, shape, dtype, bytes) in &tensors {
            let view =
                TensorView::new(*dtype, shape.clone(), bytes).map_err(|error| refuse(error.to_string()))?;
            views.push((name.as_str(), view));
        }
        let metadata = HashMap::from([("narrows".to_owned(), header)]);
        let bytes =
            safetensors::serialize(views, Some(metadata)).map_err(|error| refuse(error.to_string()))?;
        write_whole(path, &bytes)
    }

    fn header(&self) -> Header {
        let sum = self.progress.running.sum;
        Header {
            format: FORMAT.to_owned(),
            config: self.config.clone(),
            shape: self.shape,
            matmul: self.matmul.clone(),
            epoch: self.progress.epoch,
            step: self.progress.step,
            running_steps: self.progress.running.steps,
            running_sum_bits: [sum.reconstruction.to_bits(), sum.kl.to_bits()],
            best_bits: self.progress.best.map(f64::to_bits),
        }
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] naming what is missing or damaged.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let refuse = |expected: &str, found: String| Error::File {
            path: path.to_owned(),
            expected: expected.to_owned(),
            found,
        };
        let whole = |found: String| refuse("a whole safetensors file", found);
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| whole(error.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| whole(error.to_string()))?;
        let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get("narrows"));
        let Some(header) = header else {
            return Err(refuse("a checkpoint of narrows", "safetensors of another program".to_owned()));
        };
        let header: Header = serde_json::from_str(header)
            .map_err(|error| refuse("a checkpoint of this version of narrows", error.to_string()))?;
        if header.format != FORMAT {
            return Err(refuse(FORMAT, header.format));
        }
        let words = |name: &str| -> Option<(Vec<usize>, Vec<u32>)> {
            let tensor = tensors.tensor(name).ok()?;
            let is_word = matches!(tensor.dtype(), Dtype::F32 | Dtype::U32);
            is_word.then(|| (tensor.shape().to_vec(), bytemuck::pod_collect_to_vec(tensor.data())))
        };
        let values = |prefix: &str, layout: &ParameterLayout| {
            let found: HashMap<String, (Vec<usize>, Vec<u32>)> = layout
                .iter()
                .filter_map(|p| Some((p.name.clone(), words(&format!("{prefix}{}", p.name))?)))
                .collect();
            let get = |name: &str| {
                found.get(name).map(|(shape, words)| (shape.clone(), bytemuck::cast_slice(words)))
            };
            layout.pack(get).map_err(|error| refuse("every tensor of its model", error.to_string()))
        };
        let mut checkpoint = Self {
            shape: header.shape,
            matmul: header.matmul,
            parameters: Vec::new(),
            moments: Vec::new(),
            center: None,
            state: State::new(0, 0.0, [0.0; 2]),
            progress: EpochState {
                epoch: header.epoch,
                step: header.step,
                running: RunningLosses {
                    sum: Losses {
                        reconstruction: f64::from_bits(header.running_sum_bits[0]),
                        kl: f64::from_bits(header.running_sum_bits[1]),
                    },
                    steps: header.running_steps,
                },
                best: header.best_bits.map(f64::from_bits),
            },
            config: header.config,
        };
        let layout = checkpoint.layout()?;
        checkpoint.parameters = values("", &layout)?;
        for moment in checkpoint.config.train.optimizer().moments() {
            checkpoint.moments.push(((*moment).to_owned(), values(&format!("{moment}."), &layout)?));
        }
        let pixels = checkpoint.shape.iter().product::<usize>();
        let sized = |name: &str, length: usize| {
            let found = words(name).map(|(_, words)| words).filter(|words| words.len() == length);
            found.ok_or_else(|| refuse(&format!("a tensor {name:?} of {length} words"), "none".to_owned()))
        };
        if checkpoint.config.model.center {
            checkpoint.center = Some(bytemuck::cast_slice(&sized("center", pixels)?).to_vec());
        }
        checkpoint.state = State::from_words(&sized("state", State::WORDS)?);
        Ok(checkpoint)
    }
}

/// Writes a file whole or not at all.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(Error::io("create", path))?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.as_file().sync_all().map_err(Error::io("write", path))?;
    file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
    Ok(())
}
