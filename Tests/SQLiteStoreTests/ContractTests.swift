import StoreContract

final class ContractTests: StoreTestCase {
    func testKeepsTheContractOfAStore() async throws {
        var count = 0
        try await StoreContract.check(self) {
            count += 1
            return try await openStore("\(folder)/\(count).sqlite")
        }
    }
}
