/// An object of which every name is known to `Key`; names of more than 128 bytes
/// are not.
struct ObjectContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let values: [MemberName: ParameterTree]
    let codingPath: [any CodingKey]
    let allKeys: [Key]

    init(_ members: [ParameterTree.Member], codingPath: [any CodingKey]) throws(ParameterError) {
        var values: [MemberName: ParameterTree] = [:]
        var keys: [Key] = []
        for member in members {
            let name = MemberName(member.name)
            guard member.name.utf8.count <= MemberName.longest, let key = Key(stringValue: member.name),
                MemberName(key.stringValue) == name
            else {
                throw .unknown(path: ParameterPath.text(of: codingPath, then: member.name))
            }
            values[name] = member.value
            keys.append(key)
        }
        self.values = values
        self.codingPath = codingPath
        allKeys = keys
    }

    private func value(for key: some CodingKey) throws(ParameterError) -> ParameterValue {
        guard let tree = values[MemberName(key.stringValue)] else {
            throw .missing(path: ParameterPath.text(of: codingPath, then: key.stringValue))
        }
        return ParameterValue(tree, codingPath: codingPath + [key])
    }

    func contains(_ key: Key) -> Bool {
        values[MemberName(key.stringValue)] != nil
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        try value(for: key).decodeNil()
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        try value(for: key).decode(type)
    }

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try value(for: key).decode(type)
    }

    func decode<T: FixedWidthInteger & Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try value(for: key).decode(type)
    }

    func decode<T: BinaryFloatingPoint & LosslessStringConvertible & Decodable>(
        _ type: T.Type, forKey key: Key
    ) throws -> T {
        try value(for: key).decode(type)
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try value(for: key).decode(type)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try value(for: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try value(for: key).unkeyedContainer()
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try value(for: key)
    }

    func superDecoder() throws -> any Decoder {
        try value(for: ParameterPath.Name("super"))
    }
}
