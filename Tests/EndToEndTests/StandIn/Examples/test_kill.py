import json, subprocess, time
import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.dbbrain.v20210527 import dbbrain_client, models

@pytest.fixture(scope="session")
def standin(tmp_path_factory):
    ready = tmp_path_factory.mktemp("killd") / "ready.json"
    process = subprocess.Popen(["killd", "stand-in", "--ready-file", ready])
    while not ready.exists(): time.sleep(0.01)
    yield json.loads(ready.read_text())
    process.terminate()
    process.wait()

def test_an_idle_session_is_ended(standin):
    profile = ClientProfile(httpProfile=HttpProfile(endpoint=standin["endpoint"]))
    key = Credential(standin["secretId"] + "-idle", standin["secretKey"])  # a world of this test's own
    client = dbbrain_client.DbbrainClient(key, standin["region"], profile)
    request = models.KillMySqlThreadsRequest()
    request.InstanceId, request.Stage, request.Threads = standin["instance"], "Prepare", [1041]
    request.SqlExecId, request.Stage = client.KillMySqlThreads(request).SqlExecId, "Commit"
    assert client.KillMySqlThreads(request).Threads == [1041]
