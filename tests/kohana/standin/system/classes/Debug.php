<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Paths, lines of source and steps of a trace as the error page shows them.
 */
class Debug {

	public static function path($file)
	{
		foreach (array('APPPATH' => APPPATH, 'SYSPATH' => SYSPATH, 'MODPATH' => MODPATH, 'DOCROOT' => DOCROOT) as $name => $path)
		{
			if (strpos($file, $path) === 0)
				return $name.'/'.substr($file, strlen($path));
		}

		return $file;
	}

	public static function source($file, $line)
	{
		if ( ! $file OR ! is_readable($file))
			return FALSE;

		$source = '';

		foreach (array_slice(file($file), max(0, $line - 6), 11, TRUE) as $at => $row)
		{
			$source .= '<span class="line'.($at + 1 === $line ? ' highlight' : '').'"><span class="number">'.($at + 1).'</span> '.htmlspecialchars($row, ENT_NOQUOTES).'</span>';
		}

		return '<pre class="source"><code>'.$source.'</code></pre>';
	}

	public static function trace(array $trace)
	{
		$steps = array();

		foreach ($trace as $step)
		{
			$has_place = isset($step['file'], $step['line']);

			$steps[] = array(
				// It relies on the type where there is a class
				'function' => isset($step['class']) ? $step['class'].$step['type'].$step['function'] : $step['function'],
				'file'     => isset($step['file']) ? $step['file'] : NULL,
				'line'     => $has_place ? $step['line'] : NULL,
				'source'   => $has_place ? Debug::source($step['file'], $step['line']) : NULL,
			);
		}

		return $steps;
	}

}
