<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Lets Python classes stand among the application's: see guide/tortoise/index.md.
 *
 * @package  Kohana/Tortoise
 */
if (version_compare(Kohana::VERSION, '3.3', '<'))
{
	// Kohana 3.2 looks for lower case files only, and the files of this module are spelled as in 3.3. What the
	// application puts before them it still finds first.
	spl_autoload_register(function ($class)
	{
		$file = __DIR__.'/classes/'.strtr($class, '_', '/').EXT;

		// A name of the file system's may have any case there, so only this module's own names are looked for.
		if (preg_match('/^(?:Kohana_)?(?:Log_|Task_)?Tortoise(?:_|$)/', $class) AND is_file($file))
		{
			require $file;
		}
	});
}

Tortoise::init();
