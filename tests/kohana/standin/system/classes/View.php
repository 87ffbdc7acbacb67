<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * A file of PHP that shows data. Only an Exception is caught when it fails, not an Error.
 */
class View {

	public static function factory($file, array $data = array())
	{
		return new View($file, $data);
	}

	public function __construct(protected $_file, protected array $_data) {}

	public function set($name, $value)
	{
		$this->_data[$name] = $value;

		return $this;
	}

	public function __set($name, $value)
	{
		$this->_data[$name] = $value;
	}

	public function __toString()
	{
		return $this->render();
	}

	public function render()
	{
		extract($this->_data, EXTR_SKIP);
		ob_start();

		try
		{
			include Kohana::find_file('views', $this->_file);
		}
		catch (Exception $e)
		{
			ob_end_clean();

			throw $e;
		}

		return ob_get_clean();
	}

}
