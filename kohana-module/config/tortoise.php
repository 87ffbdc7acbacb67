<?php defined('SYSPATH') OR die('No direct access allowed.');

return array
(
	'default' => array
	(
		/**
		 * Settings of the extension, by the names that they have in php.ini behind `tortoise.`. NULL leaves what
		 * stands there.
		 *
		 * string   server         "auto" for a sidecar of this user's own, or unix:///run/tortoise/tortoise.sock
		 * string   python         interpreter of a sidecar of one's own, such as a virtual environment's bin/python
		 * integer  timeout        seconds that Python may take for an answer
		 * string   token_file     file with the token of a sidecar over TCP
		 * array    modules        Python modules that Tortoise\import() may open besides those of the application
		 * boolean  shared_memory  FALSE has calls go over the socket
		 */
		'server'        => NULL,
		'python'        => NULL,
		'timeout'       => NULL,
		'token_file'    => NULL,
		'modules'       => NULL,
		'shared_memory' => NULL,

		/**
		 * array    path           folders to search for Python files behind those of the cascading filesystem
		 * boolean  logging        whether Python's `logging` writes to Kohana::$log
		 * string   level          least level of Python's `logging` that is passed on
		 * array    exceptions     HTTP statuses of Python exceptions in actions with @kohana.maps_exceptions, such as
		 *                         array('LookupError' => 404, 'shop.errors.SoldOut' => 410)
		 * string   command        program that the Minion tasks call
		 * string   config         tortoise.toml for it, with more settings of the sidecar
		 */
		'path'          => array(),
		'logging'       => TRUE,
		'level'         => 'INFO',
		'exceptions'    => array(),
		'command'       => 'tortoise',
		'config'        => NULL,
	),
);
