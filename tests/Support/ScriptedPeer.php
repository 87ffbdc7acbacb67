<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** A sidecar that answers what the test says (scripted_peer.py). */
final class ScriptedPeer
{
    /** The address, as `tortoise.server` takes it. */
    public readonly string $address;

    private readonly PhpProcess $process;

    /**
     * @param list<list<string|null>> $connections for each connection: what to send after the first frame that comes, after
     *     the second, …; null closes. The last one's steps serve all later connections too.
     */
    public function __construct(Sandbox $sandbox, array $connections)
    {
        $socket = $sandbox->path('peer.sock');
        $this->address = "unix://{$socket}";
        $command = [(string) getenv('TORTOISE_PYTHON'), '-IS', __DIR__ . '/scripted_peer.py', $socket];
        $this->process = $sandbox->run($command);
        $toHex = static fn(?string $bytes): ?string => $bytes === null ? null : bin2hex($bytes);
        $steps = array_map(static fn(array $steps): array => array_map($toHex, $steps), $connections);
        $this->process->writeLine(json_encode($steps, \JSON_THROW_ON_ERROR));
        $this->process->readLine();
    }

    /**
     * Waits until a client has left, and gives what it sent.
     *
     * @return list<array{kind: int, call: int, payload: string}>
     */
    public function awaitLeave(): array
    {
        $frames = [];
        while (($line = $this->process->readLine()) !== 'closed') {
            if (!str_starts_with($line, 'left')) {
                [$kind, $call, $payload] = explode(' ', $line);
                $frames[] = ['kind' => hexdec($kind), 'call' => (int) $call, 'payload' => (string) hex2bin($payload)];
            }
        }

        return $frames;
    }
}
