<?php

use PHPUnit\Framework\TestCase;
use TencentCloud\Common\Credential;
use TencentCloud\Common\Profile\{ClientProfile, HttpProfile};
use TencentCloud\Dbbrain\V20210527\DbbrainClient;
use TencentCloud\Dbbrain\V20210527\Models\KillMySqlThreadsRequest;

final class KillTest extends TestCase
{
    private static $process;
    private static $standin;

    public static function setUpBeforeClass(): void
    {
        self::$process = proc_open(['killd', 'stand-in'], [1 => ['pipe', 'w']], $pipes);
        self::$standin = json_decode(fgets($pipes[1])); // the ready line, also that of --ready-file
    }

    public static function tearDownAfterClass(): void
    {
        proc_terminate(self::$process);
    }

    public function testAnIdleSessionIsEnded(): void
    {
        $http = new HttpProfile('http://', str_replace('http://', '', self::$standin->endpoint));
        $key = new Credential(self::$standin->secretId . '-idle', self::$standin->secretKey); // a world of its own
        $client = new DbbrainClient($key, self::$standin->region, new ClientProfile('TC3-HMAC-SHA256', $http));
        $request = new KillMySqlThreadsRequest();
        $request->deserialize(['InstanceId' => self::$standin->instance, 'Stage' => 'Prepare', 'Threads' => [1041]]);
        $request->setSqlExecId($client->KillMySqlThreads($request)->getSqlExecId());
        $request->setStage('Commit');
        $this->assertSame([1041], $client->KillMySqlThreads($request)->getThreads());
    }
}
