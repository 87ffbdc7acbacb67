<?php
/**
 * A Kohana application some of whose classes are Python: served by `make demo-kohana`, and its tasks are run by
 *
 *     KOHANA_DIR=DIR php examples/kohana/index.php --task=books:search --title="pride and prejudise"
 */
$kohana = realpath((string) getenv('KOHANA_DIR'));

if ($kohana === FALSE OR ! is_file($kohana.'/system/classes/Kohana/Core.php'))
{
	exit("KOHANA_DIR must name the folder of a Kohana 3.3, such as a checkout of koseven/koseven.\n");
}

error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);

define('EXT', '.php');
define('DOCROOT', __DIR__.'/');
define('APPPATH', __DIR__.'/application/');
define('MODPATH', $kohana.'/modules/');
define('SYSPATH', $kohana.'/system/');
define('KOHANA_START_TIME', microtime(TRUE));
define('KOHANA_START_MEMORY', memory_get_usage());

require APPPATH.'bootstrap'.EXT;

if (PHP_SAPI === 'cli')
{
	set_exception_handler(array('Minion_Exception', 'handler'));

	Minion_Task::factory(Minion_CLI::options())->execute();
}
else
{
	echo Request::factory(TRUE, array(), FALSE)->execute()->send_headers(TRUE)->body();
}
