<?php

declare(strict_types=1);

namespace Tortoise\Tests\Sidecar;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\TestCase;

/** `tortoise.shared_memory=0`: calls go over the plain socket. */
final class SocketTest extends TestCase
{
    private const CHANNEL = 'foreach ([0, 65536, 5_000_001] as $length) { $text = str_repeat("x", $length);'
        . ' assert((new Port_Worker())->show($text) === $text); } echo Tortoise\status()["channel"];';

    /** @dataProvider spellings */
    public function testTheSettingChoosesTheChannel(string $setting, string $channel): void
    {
        self::assertSame($channel, self::php(self::CHANNEL, ['tortoise.shared_memory' => $setting])->cleanOutput());
    }

    /** @return list<list<string>> */
    public static function spellings(): array
    {
        return [
            ['0', 'unix socket'],
            ['off', 'unix socket'],
            ['', 'unix socket'],
            ['1', 'shared memory'],
            ['On', 'shared memory'],
        ];
    }

    public function testConfigureChoosesItToo(): void
    {
        $code = 'Tortoise\configure(["shared_memory" => false]); ' . self::CHANNEL;
        self::assertSame('unix socket', self::php($code)->cleanOutput());
    }

    /** The next request may want another channel: then it gets another session. */
    public function testTheChannelFollowsTheSettingFromRequestToRequest(): void
    {
        $page = 'Tortoise\configure(["shared_memory" => $_GET["memory"]]);'
            . ' new Port_Worker(); echo Tortoise\status()["channel"];';
        $http = new HttpServer(self::sandbox(), $page, ['tortoise.path' => __DIR__]);
        foreach (['1' => 'shared memory', '0' => 'unix socket'] as $memory => $channel) {
            self::assertSame($channel, $http->get("memory={$memory}"));
        }
        self::assertSame('shared memory', $http->get('memory=1'));
    }
}
