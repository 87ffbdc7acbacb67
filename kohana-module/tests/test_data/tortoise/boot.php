<?php
/**
 * Boots the Kohana application of a test in a PHP process of its own, as an index.php and a bootstrap.php do.
 *
 * The file that TORTOISE_TEST_APPLICATION names says which application, as JSON; see Tortoise_TestCase.
 */
$test = json_decode(file_get_contents(getenv('TORTOISE_TEST_APPLICATION')), TRUE);

error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);
ini_set('display_errors', 'stderr');
ini_set('html_errors', '0');

define('EXT', '.php');
define('DOCROOT', $test['docroot']);
define('APPPATH', $test['apppath']);
define('MODPATH', $test['modpath']);
define('SYSPATH', $test['syspath']);
define('KOHANA_START_TIME', microtime(TRUE));
define('KOHANA_START_MEMORY', memory_get_usage());

if ( ! function_exists('get_magic_quotes_gpc'))
{
	// Kohana up to 3.3.6 asks for it
	function get_magic_quotes_gpc()
	{
		return FALSE;
	}
}

$is_lower = ! is_file(SYSPATH.'classes/Kohana/Core'.EXT);

if ($is_lower)
{
	require SYSPATH.'classes/kohana/core'.EXT;
	require SYSPATH.'classes/kohana'.EXT;
}
else
{
	require SYSPATH.'classes/Kohana/Core'.EXT;
	require SYSPATH.'classes/Kohana'.EXT;
}

date_default_timezone_set('UTC');
spl_autoload_register(array('Kohana', 'auto_load'));

if ($test['lowercase'])
{
	spl_autoload_register(array('Kohana', 'auto_load_lowercase'));
}

I18n::lang('en-us');
Kohana::$environment = Kohana::DEVELOPMENT;
Kohana::init(array(
	'base_url'  => '/',
	'cache_dir' => APPPATH.'cache',
	'caching'   => $test['caching'],
	'profile'   => $test['profile'],
	'errors'    => $test['errors'],
));

if (class_exists('Log_File'))
{
	Kohana::$log->attach(new Log_File(APPPATH.'logs'));
}

Kohana::$config->attach(class_exists('Config_File') ? new Config_File : new Kohana_Config_File);

if (class_exists('Cookie'))
{
	Cookie::$salt = 'the tests';
}

Kohana::modules($test['modules']);

if (class_exists('Route'))
{
	Route::set('default', '(<controller>(/<action>(/<id>)))')->defaults(array(
		'controller' => 'welcome',
		'action'     => 'index',
	));
}

require $test['script'];
