<?php defined('SYSPATH') OR die('No direct script access.');

return array(
	'Books'      => 'Bücher',
	'Add a book' => 'Buch hinzufügen',
);
