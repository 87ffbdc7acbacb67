<?php defined('SYSPATH') OR die('No direct access allowed.');

return array(
	// Hosts that a redirect may go to
	'trusted_hosts' => array('localhost(:\d+)?', '127\.0\.0\.1(:\d+)?'),
);
