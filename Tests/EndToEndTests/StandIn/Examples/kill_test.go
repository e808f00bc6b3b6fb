package kill

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	dbbrain "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/dbbrain/v20210527"
)

var standin struct{ Endpoint, SecretId, SecretKey, Region, Instance string }

func TestMain(m *testing.M) {
	ready := os.TempDir() + "/killd-ready.json"
	os.Remove(ready)
	process := exec.Command("killd", "stand-in", "--ready-file", ready)
	process.Start()
	for line, err := os.ReadFile(ready); json.Unmarshal(line, &standin) != nil; line, err = os.ReadFile(ready) {
		_ = err
		time.Sleep(10 * time.Millisecond)
	}
	code := m.Run()
	process.Process.Signal(os.Interrupt)
	process.Wait()
	os.Exit(code)
}

func TestAnIdleSessionIsEnded(t *testing.T) {
	p := profile.NewClientProfile()
	p.HttpProfile.Endpoint, p.HttpProfile.Scheme = strings.TrimPrefix(standin.Endpoint, "http://"), "HTTP"
	key := common.NewCredential(standin.SecretId+"-idle", standin.SecretKey) // a world of this test's own
	client, _ := dbbrain.NewClient(key, standin.Region, p)
	request := dbbrain.NewKillMySqlThreadsRequest()
	request.InstanceId, request.Stage = &standin.Instance, common.StringPtr("Prepare")
	request.Threads = common.Int64Ptrs([]int64{1041})
	prepared, err := client.KillMySqlThreads(request)
	if err != nil {
		t.Fatal(err)
	}
	request.Stage, request.SqlExecId = common.StringPtr("Commit"), prepared.Response.SqlExecId
	if killed, err := client.KillMySqlThreads(request); err != nil || *killed.Response.Threads[0] != 1041 {
		t.Fatal(killed, err)
	}
}
