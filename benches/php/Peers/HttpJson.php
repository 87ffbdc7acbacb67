<?php

declare(strict_types=1);

namespace Benches\Peers;

use Benches\RemotePeer;

/** JSON over HTTP by curl, on a connection that stays. */
final class HttpJson extends RemotePeer
{
    private readonly \CurlHandle $curl;

    public function __construct(private readonly string $address)
    {
        $this->curl = curl_init();
        curl_setopt_array($this->curl, [\CURLOPT_POST => true, \CURLOPT_RETURNTRANSFER => true, \CURLOPT_TCP_NODELAY => true]);
    }

    public function echo(object $bench, string $bytes): string
    {
        return $this->post("/echo/{$bench->number}", $bytes, 'application/octet-stream');
    }

    protected function exchange(array $request): array
    {
        $reply = $this->post('/call', json_encode($request, \JSON_THROW_ON_ERROR), 'application/json');

        return json_decode($reply, true, flags: \JSON_THROW_ON_ERROR);
    }

    private function post(string $path, string $body, string $type): string
    {
        curl_setopt_array($this->curl, [
            \CURLOPT_URL => $this->address . $path,
            \CURLOPT_POSTFIELDS => $body,
            // Without the second one curl asks before it sends much, and waits.
            \CURLOPT_HTTPHEADER => ["Content-Type: {$type}", 'Expect:'],
        ]);
        $reply = curl_exec($this->curl);

        return $reply === false ? throw new \RuntimeException(curl_error($this->curl)) : $reply;
    }
}
