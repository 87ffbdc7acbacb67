<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Writes messages to year/month/day.php.
 */
class Log_File extends Log_Writer {

	protected $_levels = array('EMERGENCY', 'ALERT', 'CRITICAL', 'ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG');

	public function __construct(protected $_directory) {}

	public function write(array $messages)
	{
		$file = $this->_directory.date('/Y/m/d').EXT;

		is_dir(dirname($file)) OR mkdir(dirname($file), 0777, TRUE);

		foreach ($messages as $message)
		{
			file_put_contents($file, date('Y-m-d H:i:s', $message['time']).' --- '.$this->_levels[$message['level']].': '.$message['body']."\n", FILE_APPEND);
		}
	}

}
