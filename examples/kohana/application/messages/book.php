<?php defined('SYSPATH') OR die('No direct script access.');

return array(
	'isbn' => array(
		'Isbn::is_valid' => ':value is not an ISBN of 13 digits',
		'is_new'         => 'there is a book of this ISBN already',
	),
);
