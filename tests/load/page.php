<?php

declare(strict_types=1);

// The page under load: counts in Python and in PHP, and is 200 only if both came to the same.
//
//   ?pause=N   does nothing for N ms in the middle, with an object in hand
//   ?rest=N    stays in a call for N ms

try {
    $owner = random_int(\PHP_INT_MIN, \PHP_INT_MAX);
    $basket = new Load_Basket($owner);
    $edition = $basket->edition();
    $total = $reduced = 0;
    $counts = [];
    foreach (['tea', 'bread', 'süß', 'salt'] as $thing) {
        $price = random_int(2, 1_000_000);
        $total += $price;
        $reduced += intdiv($price, 2);
        $counts[] = $basket->add($thing, $price);
    }
    if (isset($_GET['pause'])) {
        usleep(1_000 * (int) $_GET['pause']);
    }
    if (isset($_GET['rest'])) {
        $basket->rest((int) $_GET['rest']);
    }
    try {
        $missing = $basket->missing('pepper');
    } catch (\Tortoise\Python\KeyError $error) {
        $missing = $error->getPythonClass();
    }
    $came = [
        $basket->owner,
        $counts,
        $basket->total(),
        $basket->discounted(static fn (int $price): int => intdiv($price, 2)),
        $missing,
        $basket->edition(),
    ];
    $due = [$owner, [1, 2, 3, 4], $total, $reduced, 'KeyError', $edition];
    $body = $came === $due ? "right {$edition}" : 'wrong: ' . json_encode($came) . ' instead of ' . json_encode($due);
} catch (\Throwable $error) {
    $body = \get_class($error) . ': ' . $error->getMessage();
}
http_response_code(str_starts_with($body, 'right ') ? 200 : 500);
header('Content-Type: text/plain; charset=utf-8');
echo $body, "\n";
