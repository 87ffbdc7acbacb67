<?php

/** A page that uses three classes and calls ten methods. Whether they are Python's or PHP's it cannot tell. */

declare(strict_types=1);

$customer = new Page_Customer(7);
$article = new Page_Article(3);
$basket = new Page_Basket();
for ($i = 0; $i < 2; ++$i) {
    $basket->add($article->title(), $customer->discount($article->price()));
}
echo $customer->name(), ' pays ', $basket->total(), "\n";
