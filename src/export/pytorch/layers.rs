//! The lines of each operation.

use super::{Text, no_name};
use crate::Result;
use crate::export::outline::{Convolution, LOG_VARIANCE};
use crate::export::{Operation, Outline, Step};
use crate::graph::Shape;
use crate::reference::activation::Activation;

// One number for both directions, or one for each.
fn pair<T: PartialEq + std::fmt::Display>([down, across]: [T; 2]) -> String {
    if down == across { down.to_string() } else { format!("({down}, {across})") }
}

// `encoder` and `0` of `encoder.0`.
fn place(layer: &str) -> Result<(&str, &str)> {
    let is_word = |name: &str| {
        let mut letters = name.chars();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    layer.rsplit_once('.').filter(|(stack, _)| is_word(stack)).ok_or_else(|| no_name(layer))
}

// The module of a layer: `self.encoder["0"]`.
fn module(layer: &str) -> String {
    let (stack, number) = layer.rsplit_once('.').unwrap_or((layer, "0"));
    format!("self.{stack}[\"{number}\"]")
}

/// The lines of a module's beginning that declare its layers.
pub(super) fn declared(outline: &Outline) -> Result<Vec<String>> {
    let mut stacks: Vec<(&str, Vec<String>)> = Vec::new();
    for step in outline.encoder.iter().chain(&outline.decoder) {
        let (stack, number) = place(&step.layer)?;
        let Some(made) = constructor(&step.operation) else { continue };
        let module = format!("    \"{number}\": {made},");
        match stacks.iter_mut().find(|(known, _)| *known == stack) {
            Some((_, modules)) => modules.push(module),
            None => stacks.push((stack, vec![module])),
        }
    }
    let mut lines = Vec::new();
    for (stack, modules) in stacks {
        lines.push(format!("self.{stack} = nn.ModuleDict({{"));
        lines.extend(modules);
        lines.push("})".to_owned());
    }
    if outline.about.has_log_variance {
        lines.push(format!("self.{LOG_VARIANCE} = nn.Parameter(torch.zeros(1))"));
    }
    Ok(lines)
}

fn constructor(operation: &Operation) -> Option<String> {
    let without_bias = |has: bool| if has { "" } else { ", bias=False" };
    match operation {
        Operation::Dense { tied: true, bias, extents: [_, units], .. } => {
            bias.as_ref().map(|_| format!("Mirror({units})"))
        }
        Operation::Dense { extents: [inputs, units], bias, .. } => {
            Some(format!("nn.Linear({inputs}, {units}{})", without_bias(bias.is_some())))
        }
        Operation::Conv(of) => {
            let padding = symmetric(of).map_or(String::new(), |padding| padded(padding, "padding"));
            Some(format!("nn.Conv2d({}{padding}{})", convolution(of), without_bias(of.bias)))
        }
        Operation::ConvTranspose(of) => {
            let more = [0, 1].map(|axis| (i64::from(of.before[axis]) - of.after[axis]).max(0));
            let padding = padded(of.before, "padding") + &padded(more, "output_padding");
            Some(format!("nn.ConvTranspose2d({}{padding}{})", convolution(of), without_bias(of.bias)))
        }
        Operation::BatchNorm { channels, epsilon, momentum, planes } => {
            let dimensions = if *planes { 2 } else { 1 };
            Some(format!("nn.BatchNorm{dimensions}d({channels}, eps={epsilon:?}, momentum={momentum:?})"))
        }
        Operation::Dropout(rate) => Some(format!("nn.Dropout({rate:?})")),
        Operation::ToPlanes(_)
        | Operation::ToRows(_)
        | Operation::MaxPool { .. }
        | Operation::Upsample(_)
        | Operation::CropOrPad { .. }
        | Operation::Activation(_) => None,
    }
}

fn convolution(of: &Convolution) -> String {
    let [inputs, outputs] = of.channels;
    let stride = if of.stride == [1, 1] { String::new() } else { format!(", stride={}", pair(of.stride)) };
    format!("{inputs}, {outputs}, {}{stride}", pair(of.kernel))
}

fn padded<T: PartialEq + std::fmt::Display + Default>(pixels: [T; 2], setting: &str) -> String {
    let none = pixels == [T::default(), T::default()];
    if none { String::new() } else { format!(", {setting}={}", pair(pixels)) }
}

// The zeros on each side with which a convolution has the same windows; None where the sides differ.
fn symmetric(of: &Convolution) -> Option<[u32; 2]> {
    let fits = |axis: usize| {
        let padding = of.before[axis];
        let windows = (of.input[axis] + 2 * padding).checked_sub(of.kernel[axis])? / of.stride[axis] + 1;
        (windows == of.output[axis] && of.after[axis] <= i64::from(padding)).then_some(padding)
    };
    Some([fits(0)?, fits(1)?])
}

/// The class of layers that run others backward, where there are some with a bias.
pub(super) fn classes(text: &mut Text, outline: &Outline) {
    let mirrors = |step: &Step| matches!(step.operation, Operation::Dense { tied: true, bias: Some(_), .. });
    if !outline.decoder.iter().chain(&outline.encoder).any(mirrors) {
        return;
    }
    text.lines(0, &["class Mirror(nn.Module):"]);
    text.documented(4, "A dense layer with another's weight, transposed, and a bias of its own.");
    let lines = [
        "",
        "def __init__(self, units):",
        "    super().__init__()",
        "    self.bias = nn.Parameter(torch.zeros(units))",
        "",
        "def forward(self, h, weight):",
        "    return F.linear(h, weight.t(), self.bias)",
    ];
    text.lines(4, &lines);
    text.lines(0, &["", ""]);
}

/// The lines that run layers on h.
pub(super) fn lines(text: &mut Text, steps: &[Step]) {
    for step in steps {
        run(step).iter().for_each(|line| text.lines(8, &[&format!("h = {line}")]));
    }
}

fn run(step: &Step) -> Vec<String> {
    let module = module(&step.layer);
    let plain = || vec![format!("{module}(h)")];
    match &step.operation {
        Operation::ToPlanes(Shape { height, width, channels }) => {
            vec![format!("h.reshape(-1, {height}, {width}, {channels}).permute(0, 3, 1, 2)")]
        }
        Operation::ToRows(shape) => {
            let columns = shape.columns().unwrap_or_default();
            vec![format!("h.permute(0, 2, 3, 1).reshape(-1, {columns})")]
        }
        Operation::Dense { weight, tied: true, bias, .. } => {
            let (layer, _) = weight.rsplit_once('.').unwrap_or((weight, ""));
            let weight = format!("{}.weight", self::module(layer));
            vec![match bias {
                Some(_) => format!("{module}(h, {weight})"),
                None => format!("F.linear(h, {weight}.t())"),
            }]
        }
        Operation::Conv(of) if symmetric(of).is_none() => {
            let ([top, left], [bottom, right]) = (of.before, of.after);
            vec![format!("F.pad(h, ({left}, {right}, {top}, {bottom}))"), format!("{module}(h)")]
        }
        Operation::ConvTranspose(of)
            if [0, 1].iter().any(|axis| of.after[*axis] > i64::from(of.before[*axis])) =>
        {
            let [height, width] = of.output;
            vec![format!("{module}(h)[:, :, :{height}, :{width}]")]
        }
        Operation::Dense { .. }
        | Operation::Conv(_)
        | Operation::ConvTranspose(_)
        | Operation::BatchNorm { .. }
        | Operation::Dropout(_) => plain(),
        Operation::MaxPool { size, stride } => {
            vec![format!("F.max_pool2d(h, {}, stride={})", pair(*size), pair(*stride))]
        }
        Operation::Upsample([down, across]) => {
            let along = |dim: u32, factor: &u32| match factor {
                1 => String::new(),
                _ => format!(".repeat_interleave({factor}, dim={dim})"),
            };
            vec![format!("h{}{}", along(2, down), along(3, across))]
        }
        Operation::CropOrPad { before: [top, left], after: [bottom, right] } => {
            vec![format!("F.pad(h, ({left}, {right}, {top}, {bottom}))")]
        }
        Operation::Activation(activation) => vec![function(*activation).to_owned()],
    }
}

fn function(activation: Activation) -> &'static str {
    match activation {
        Activation::Identity => "h",
        Activation::Relu => "F.relu(h)",
        Activation::LeakyRelu => "F.leaky_relu(h, 0.01)",
        Activation::Elu => "F.elu(h)",
        Activation::Selu => "F.selu(h)",
        Activation::Sigmoid => "torch.sigmoid(h)",
        Activation::Tanh => "torch.tanh(h)",
        Activation::Softplus => "F.softplus(h)",
        Activation::Gelu => "F.gelu(h)",
        Activation::Silu => "F.silu(h)",
    }
}
