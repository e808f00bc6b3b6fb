extension Seed {
    /// What a stand-in begins with that is given no seed: one instance, `cdb-standin`, with a list as a shop's MySQL
    /// has it.
    public static func standard() throws(SeedError) -> Seed { try Seed(json: PackageResources.Standard_json) }
}
