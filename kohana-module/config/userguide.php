<?php defined('SYSPATH') OR die('No direct script access.');

return array
(
	'modules' => array
	(
		'tortoise' => array
		(
			'enabled'     => TRUE,
			'name'        => 'Tortoise',
			'description' => 'Python classes among the application\'s own.',
			'copyright'   => '&copy; Tortoise contributors',
		),
	),
);
