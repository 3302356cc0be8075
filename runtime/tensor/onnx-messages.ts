import type { INamespace } from 'protobufjs/light.js'

const one = (type: string, id: number) => ({ type, id })
const many = (type: string, id: number) => ({ rule: 'repeated', type, id, options: { packed: false } })

/** The messages of `onnx.proto` that a traced graph needs; field numbers are those of the ONNX specification. */
export const messages: INamespace = {
  nested: {
    ModelProto: {
      fields: {
        irVersion: one('int64', 1),
        producerName: one('string', 2),
        graph: one('GraphProto', 7),
        opsetImport: many('OperatorSetIdProto', 8),
      },
    },
    OperatorSetIdProto: { fields: { domain: one('string', 1), version: one('int64', 2) } },
    GraphProto: {
      fields: {
        node: many('NodeProto', 1),
        name: one('string', 2),
        initializer: many('TensorProto', 5),
        input: many('ValueInfoProto', 11),
        output: many('ValueInfoProto', 12),
      },
    },
    NodeProto: {
      fields: {
        input: many('string', 1),
        output: many('string', 2),
        opType: one('string', 4),
        attribute: many('AttributeProto', 5),
        domain: one('string', 7),
      },
    },
    AttributeProto: {
      fields: {
        name: one('string', 1),
        f: one('float', 2),
        i: one('int64', 3),
        s: one('bytes', 4),
        t: one('TensorProto', 5),
        ints: many('int64', 8),
        type: one('int32', 20),
      },
    },
    TensorProto: {
      fields: {
        dims: many('int64', 1),
        dataType: one('int32', 2),
        name: one('string', 8),
        rawData: one('bytes', 9),
      },
    },
    ValueInfoProto: { fields: { name: one('string', 1), type: one('TypeProto', 2) } },
    TypeProto: { fields: { tensorType: one('TensorTypeProto', 1) } },
    TensorTypeProto: { fields: { elemType: one('int32', 1), shape: one('TensorShapeProto', 2) } },
    TensorShapeProto: { fields: { dim: many('DimensionProto', 1) } },
    DimensionProto: { fields: { dimValue: one('int64', 1) } },
  },
}
