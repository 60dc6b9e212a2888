/// A box for a value inside a value of the same type.
package indirect enum Indirect<Value: Sendable>: Sendable {
    case box(Value)

    package init(_ value: Value) {
        self = .box(value)
    }

    package var value: Value {
        switch self {
        case .box(let value): value
        }
    }
}

extension Indirect: WireDecodable, OperationBody where Value: WireDecodable {
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        self = .box(try Value(wire: value, at: path))
    }
}

extension Indirect: WireEncodable, OperationOutput where Value: WireEncodable {
    package func write(to json: inout JSONWriter) {
        value.write(to: &json)
    }
}
