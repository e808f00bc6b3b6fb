import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import com.google.gson.*;
import com.tencentcloudapi.common.Credential;
import com.tencentcloudapi.common.profile.*;
import com.tencentcloudapi.dbbrain.v20210527.DbbrainClient;
import com.tencentcloudapi.dbbrain.v20210527.models.*;
import java.io.*;
import org.junit.jupiter.api.*;

class KillTest {
    static Process process;
    static JsonObject standin;

    static String standin(String key) { return standin.get(key).getAsString(); }

    @BeforeAll
    static void start() throws IOException {
        process = new ProcessBuilder("killd", "stand-in").redirectError(ProcessBuilder.Redirect.INHERIT).start();
        standin = JsonParser.parseString(process.inputReader().readLine()).getAsJsonObject(); // the ready line
    }

    @AfterAll
    static void stop() { process.destroy(); }

    @Test
    void anIdleSessionIsEnded() throws Exception {
        HttpProfile http = new HttpProfile();
        http.setEndpoint(standin("endpoint").replace("http://", ""));
        http.setProtocol("http://");
        Credential key = new Credential(standin("secretId") + "-idle", standin("secretKey")); // a world of its own
        DbbrainClient client =
            new DbbrainClient(key, standin("region"), new ClientProfile(ClientProfile.SIGN_TC3_256, http));
        KillMySqlThreadsRequest request = new KillMySqlThreadsRequest();
        request.setInstanceId(standin("instance"));
        request.setStage("Prepare");
        request.setThreads(new Long[] {1041L});
        request.setSqlExecId(client.KillMySqlThreads(request).getSqlExecId());
        request.setStage("Commit");
        assertArrayEquals(new Long[] {1041L}, client.KillMySqlThreads(request).getThreads());
    }
}
