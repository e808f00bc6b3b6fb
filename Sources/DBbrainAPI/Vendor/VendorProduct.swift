/// The products that the vendor's DBbrain knows. killd has instances of the
/// first two only.
enum VendorProduct: String, Decodable, Sendable {
    case mysql, cynosdb, mariadb, dcdb, mongodb, postgres, redis, tdstore
    /// MySQL servers of the customers' own.
    case selfBuiltMySQL = "dbbrain-mysql"
}

extension Product {
    /// The product as responses spell it, unlike requests.
    var answered: String {
        switch self {
        case .mysql: "MySQL"
        case .cynosdb: "CynosDB"
        }
    }
}
