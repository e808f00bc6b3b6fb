import Cryptography

/// `killd init`: a first configuration.
struct InitCommand: Command {
    static let name = "init"
    static let summary = "writes a starter configuration with fresh random credentials"
    static let usage = "[--output FILE]"
    static let options = [
        (spelling: "--output FILE", meaning: "default killd.json; a file that exists is left alone")
    ]

    private let output: String

    init(_ arguments: inout Arguments) throws {
        output = try arguments.option("--output") ?? "killd.json"
    }

    func run() throws -> ExitStatus {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let secretID = "AKID" + (try randomText(count: 32, alphabet: alphabet))
        let secretKey = try randomText(count: 32, alphabet: alphabet)
        try Array(Self.configuration(secretID: secretID, secretKey: secretKey).utf8).write(toNewFile: output)
        Terminal.standardOutput.write(
            """
            \(output) has been written, readable for you alone. What is left to do:

            1. Give killd an account of its own on the database server.
               MySQL:    CREATE USER 'killd'@'%' IDENTIFIED BY '…';
                         GRANT PROCESS, CONNECTION_ADMIN ON *.* TO 'killd'@'%';
               MariaDB:  CREATE USER 'killd'@'%' IDENTIFIED BY '…';
                         GRANT PROCESS, CONNECTION ADMIN ON *.* TO 'killd'@'%';
               So that plans tell who waits for whose locks (MariaDB: with performance_schema=ON):
                         GRANT SELECT ON performance_schema.* TO 'killd'@'%';
            2. Put the server's address into \(output) and its password into KILLD_MYSQL_PASSWORD.
            3. killd check --config \(output)
            4. killd serve --config \(output)

            Clients sign with secretId and secretKey of the file.

            """)
        return .done
    }

    static func configuration(secretID: String, secretKey: String) -> String {
        """
        {
          "listen": "127.0.0.1:8155",
          "store": "killd.sqlite",
          "accounts": [
            {
              "name": "admin",
              "uin": "100000000001",
              "secretId": "\(secretID)",
              "secretKey": "\(secretKey)",
              "may": ["*"],
              "instances": ["*"]
            }
          ],
          "instances": [
            {
              "id": "cdb-local001",
              "name": "local",
              "product": "mysql",
              "region": "ap-guangzhou",
              "host": "127.0.0.1",
              "port": 3306,
              "user": "killd",
              "password": { "env": "KILLD_MYSQL_PASSWORD" },
              "tls": "preferred",
              "protectedUsers": []
            }
          ]
        }

        """
    }
}
