//! A graph under way: nodes with names of their own, constants that are there once.

use std::collections::BTreeSet;

use super::proto::{
    AttributeProto, AttributeType, Dimension, ElementType, Extent, GraphProto, NodeProto, TensorProto,
    TensorShapeProto, TensorType, TypeProto, ValueInfoProto,
};
use crate::export::{Outline, Value};

/// A setting of a node.
pub(super) enum Attribute {
    Float(f32),
    Int(i64),
    Text(&'static str),
    Ints(Vec<i64>),
}

pub(super) type Attributes<'a> = &'a [(&'static str, Attribute)];

/// A graph under way. Values are called by the names of the nodes that give them: `encoder.0/Conv`.
pub(super) struct Builder<'a> {
    outline: &'a Outline,
    graph: GraphProto,
    names: BTreeSet<String>,
}

fn described(value: &Value) -> ValueInfoProto {
    let open = Dimension { value: Some(Extent::Named("batch".to_owned())) };
    let known = |extent: &u32| Dimension { value: Some(Extent::Value(i64::from(*extent))) };
    let shape = TensorShapeProto { dim: [open].into_iter().chain(value.extents.iter().map(known)).collect() };
    let kind = if value.whole { ElementType::Int64 } else { ElementType::Float };
    let tensor_type = TensorType { elem_type: Some(kind.into()), shape: Some(shape) };
    ValueInfoProto {
        name: Some(value.name.to_owned()),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
        doc_string: Some(value.about.clone()),
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(outline: &'a Outline) -> Self {
        Self { outline, graph: GraphProto::default(), names: BTreeSet::new() }
    }

    pub(super) fn outline(&self) -> &'a Outline {
        self.outline
    }

    pub(super) fn finish(mut self, name: &str, doc: String) -> GraphProto {
        self.graph.name = Some(name.to_owned());
        self.graph.doc_string = Some(doc);
        self.graph
    }

    /// An input; returns its name.
    pub(super) fn input(&mut self, value: &Value) -> String {
        self.graph.input.push(described(value));
        self.names.insert(value.name.to_owned());
        value.name.to_owned()
    }

    /// Makes what a node gives an output; returns its name.
    pub(super) fn output(&mut self, value: &Value, of: String) -> String {
        let name = value.name;
        // What has a name for others keeps it.
        let mut named = self.graph.input.iter().chain(&self.graph.output);
        let of =
            if named.any(|value| value.name() == of) { self.node(name, "Identity", &[&of], &[]) } else { of };
        self.graph.output.push(described(value));
        self.names.insert(name.to_owned());
        let nodes = self.graph.node.iter_mut();
        nodes
            .flat_map(|node| node.output.iter_mut().chain(&mut node.input))
            .filter(|value| **value == of)
            .for_each(|value| name.clone_into(value));
        name.to_owned()
    }

    fn free_name(&mut self, wanted: String) -> String {
        let numbered = (1..).map(|number| format!("{wanted}_{number}"));
        let mut all = [wanted.clone()].into_iter().chain(numbered);
        let free = all.find(|name| !self.names.contains(name)).unwrap_or(wanted);
        self.names.insert(free.clone());
        free
    }

    /// A node of a layer, or of another place; returns what it gives.
    pub(super) fn node(
        &mut self,
        place: &str,
        operator: &str,
        inputs: &[&str],
        attributes: Attributes<'_>,
    ) -> String {
        let [output] = self.node_of(place, operator, inputs, attributes);
        output
    }

    /// A node that gives several values.
    pub(super) fn node_of<const N: usize>(
        &mut self,
        place: &str,
        operator: &str,
        inputs: &[&str],
        attributes: Attributes<'_>,
    ) -> [String; N] {
        let name = self.free_name(format!("{place}/{operator}"));
        let outputs: [String; N] =
            std::array::from_fn(|at| if N == 1 { name.clone() } else { format!("{name}:{at}") });
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: outputs.to_vec(),
            name: Some(name),
            op_type: Some(operator.to_owned()),
            attribute: attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
        });
        outputs
    }

    /// A tensor of the model, once; returns its name.
    pub(super) fn tensor(&mut self, name: &str) -> String {
        if let Some((shape, values)) = self.outline.tensors.tensors.get(name)
            && self.names.insert(name.to_owned())
        {
            let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            let dims = shape.iter().map(|extent| *extent as i64).collect();
            self.constant(name.to_owned(), dims, ElementType::Float, bytes);
        }
        name.to_owned()
    }

    /// A single number of 32 bits.
    pub(super) fn number(&mut self, x: f32) -> String {
        let name = format!("{x:?}");
        if self.names.insert(name.clone()) {
            self.constant(name.clone(), Vec::new(), ElementType::Float, x.to_le_bytes().to_vec());
        }
        name
    }

    /// A single number of 64 bits.
    pub(super) fn double(&mut self, x: f64) -> String {
        let name = format!("double {x:?}");
        if self.names.insert(name.clone()) {
            self.constant(name.clone(), Vec::new(), ElementType::Double, x.to_le_bytes().to_vec());
        }
        name
    }

    /// Whole numbers, as shapes are.
    pub(super) fn whole(&mut self, place: &str, numbers: &[i64]) -> String {
        let name = self.free_name(place.to_owned());
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.constant(name.clone(), vec![numbers.len() as i64], ElementType::Int64, bytes);
        name
    }

    /// Numbers of 32 bits in a row.
    pub(super) fn numbers(&mut self, place: &str, numbers: &[f32]) -> String {
        let name = self.free_name(place.to_owned());
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.constant(name.clone(), vec![numbers.len() as i64], ElementType::Float, bytes);
        name
    }

    /// An identity matrix `[extent, extent]`.
    pub(super) fn identity(&mut self, place: &str, extent: usize) -> String {
        let name = self.free_name(place.to_owned());
        let number = |at: usize| if at / extent == at % extent { 1.0_f32 } else { 0.0 };
        let bytes = (0..extent * extent).flat_map(|at| number(at).to_le_bytes()).collect();
        self.constant(name.clone(), vec![extent as i64; 2], ElementType::Float, bytes);
        name
    }

    fn constant(&mut self, name: String, dims: Vec<i64>, kind: ElementType, bytes: Vec<u8>) {
        self.graph.initializer.push(TensorProto {
            dims,
            data_type: Some(kind.into()),
            name: Some(name),
            raw_data: Some(bytes),
        });
    }
}

fn attribute(name: &str, value: &Attribute) -> AttributeProto {
    let mut attribute = AttributeProto { name: Some(name.to_owned()), ..AttributeProto::default() };
    let kind = match value {
        Attribute::Float(x) => {
            attribute.f = Some(*x);
            AttributeType::Float
        }
        Attribute::Int(number) => {
            attribute.i = Some(*number);
            AttributeType::Int
        }
        Attribute::Text(text) => {
            attribute.s = Some(text.as_bytes().to_vec());
            AttributeType::String
        }
        Attribute::Ints(numbers) => {
            attribute.ints.clone_from(numbers);
            AttributeType::Ints
        }
    };
    attribute.r#type = Some(kind.into());
    attribute
}
