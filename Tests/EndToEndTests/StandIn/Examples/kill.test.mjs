import assert from "node:assert"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { after, before, test } from "node:test"
import dbbrain from "tencentcloud-sdk-nodejs-dbbrain"

let process, standin
before(async () => {
  process = spawn("killd", ["stand-in"], { stdio: ["ignore", "pipe", "inherit"] })
  standin = JSON.parse(await once(process.stdout, "data")) // the ready line, also that of --ready-file
})
after(() => process.kill())

test("an idle session is ended", async () => {
  const client = new dbbrain.dbbrain.v20210527.Client({
    credential: { secretId: standin.secretId + "-idle", secretKey: standin.secretKey }, // a world of its own
    region: standin.region,
    profile: { httpProfile: { endpoint: standin.endpoint.replace("http://", ""), protocol: "http://" } },
  })
  const kill = (rest) => client.KillMySqlThreads({ InstanceId: standin.instance, ...rest })
  const { SqlExecId } = await kill({ Stage: "Prepare", Threads: [1041] })
  assert.deepEqual((await kill({ Stage: "Commit", SqlExecId })).Threads, [1041])
})
